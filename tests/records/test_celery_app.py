"""The default app has the guide's settings, and the ones that keep it safe to look after."""

from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.settings import Settings


def test_the_default_app_has_the_settings_of_the_guide() -> None:
    conf = make_app(Settings(task_time_limit=7200, prefetch_multiplier=1)).conf

    assert conf.task_time_limit == 7200
    assert conf.worker_prefetch_multiplier == 1
    assert conf.result_expires == 3600
    assert conf.worker_max_tasks_per_child == 1000
    assert conf.task_track_started
    assert conf.accept_content == ["json"]
    assert {queue.name for queue in conf.task_queues} == {"celery", "agent"}


def test_a_message_is_not_delivered_again_while_its_task_may_still_run() -> None:
    conf = make_app(Settings(task_time_limit=9000)).conf

    assert conf.broker_transport_options["visibility_timeout"] > 9000


def test_runs_of_the_agent_go_to_their_own_queue_and_documents_do_not() -> None:
    app = make_app(Settings())

    def queue(name: str) -> str:
        return str(app.amqp.router.route({}, name)["queue"].name)

    assert queue("knowledge_base_agent.agent.run_agent") == "agent"
    assert queue("knowledge_base_agent.agent.process_document") == "celery"
