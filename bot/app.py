"""The one place that wires the bot: settings and a deployment in, a bot that listens out."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import structlog
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.alerts import Alerts
from bot.audit_channel import AuditChannel
from bot.audit_seals import ChannelSeals
from bot.blocks.drawn import Json
from bot.desk import Desk
from bot.files import Files
from bot.http_mode import Endpoint, Served, health_routes
from bot.keeping import Keeping
from bot.listeners import open_bolt
from bot.messages import Messages
from bot.metrics import Watched, metrics_routes
from bot.pace import Paces
from bot.people import People
from bot.scopes import Scopes
from bot.seen import Seen
from bot.slack_api import SlackApi
from bot.slack_client import open_client, open_session
from bot.socket_mode import SocketMode
from bot.threads import Threads
from bot.tokens import greeted, tokens_of
from bot.upkeep import Upkeep
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import Settings

log = structlog.get_logger()

FINISH_WITHIN = 20.0
"""Seconds that running work gets after the bot was told to stop."""


class Bot:
    """A bot between its start and its stop."""

    def __init__(
        self,
        settings: Settings,
        deployment: Deployment,
        scopes: Scopes | None = None,
        seals: ChannelSeals | None = None,
    ) -> None:
        self._settings = settings
        self._scopes = scopes or Scopes()
        self._seals = seals or ChannelSeals()
        self._deployment = deployment
        self._tokens = tokens_of(settings)
        self._endpoint = Endpoint(self._tokens.signing_secret)
        self._open = AsyncExitStack()
        self._loops: list[asyncio.Task[None]] = []
        self._socket: SocketMode | None = None
        self._desk: Desk | None = None
        self._alerts: Alerts | None = None

    async def start(self) -> None:
        """Reach Slack and begin to listen, waiting for as long as Slack is away. Raises `Misconfigured`, `OSError`."""
        session = await self._open.enter_async_context(open_session())
        client = open_client(self._settings.slack_api_url, self._tokens.bot, session)
        api = SlackApi(client, self._scopes)
        await self._serve()
        who = await greeted(api)
        self._desk = desk = self._wire(api, client, session, who)
        self._loops.append(asyncio.create_task(Upkeep(desk).run(), name="upkeep"))
        self._loops.append(asyncio.create_task(Keeping(self._deployment).run(), name="keeping"))
        app = open_bolt(desk, client, self._tokens.bot, who)
        await self._listen(app, client, desk)
        log.info("the bot listens", team=who.get("team"), name=who.get("user"))

    async def stop(self) -> None:
        """Take nothing more, finish what runs, and let go."""
        self._endpoint.close()
        if self._socket is not None:
            await self._socket.close()
        if self._desk is not None:
            left = await self._desk.errands.finish(FINISH_WITHIN)
            if left:
                log.warning("work was left unfinished", tasks=left)
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._alerts is not None:
            await self._alerts.release()
        await self._open.aclose()

    async def broken(self) -> None:
        """Wait until a loop ends, which none should, and raise what ended it."""
        done, _ = await asyncio.wait(self._loops, return_when=asyncio.FIRST_COMPLETED)
        for loop in done:
            loop.result()

    async def why_not_ready(self) -> str:
        """Return why nothing can be asked of the bot now, or an empty text."""
        if self._desk is None:
            return "Slack has not been reached yet"
        if self._socket is None:
            return "" if self._endpoint.is_open else "not listening yet"
        return "" if await self._socket.connected() else "not connected to Slack"

    def _watched(self) -> Watched:
        return self._alerts.watched() if self._alerts is not None else Watched()

    async def _serve(self) -> None:
        """Serve HTTP: Slack's requests where there is no Socket Mode, and health wherever PORT asks for it."""
        asked = "port" in self._settings.model_fields_set
        if self._tokens.socket_mode and not asked:
            return
        routes = health_routes(self.why_not_ready) + metrics_routes(self._watched)
        if not self._tokens.socket_mode:
            routes += self._endpoint.routes()
        served = Served(routes)
        self._open.push_async_callback(served.close)
        log.info("serving HTTP", port=await served.start(self._settings.port))

    async def _listen(self, app: AsyncApp, client: AsyncWebClient, desk: Desk) -> None:
        if self._tokens.socket_mode:
            self._socket = SocketMode(app, desk.errands, client, self._tokens.app)
            await self._socket.connect()
        else:
            self._endpoint.open(app, desk.seen.first_time, desk.errands)

    def _wire(
        self, api: SlackApi, client: AsyncWebClient, session: aiohttp.ClientSession, who: Json
    ) -> Desk:
        settings, runner = self._settings, Runner(self._deployment)
        messages = Messages(api, session, settings.slack_api_url, client.proxy)
        audit = self._open_audit(messages)
        if settings.audit_channel:
            self._seals.open(api, settings.audit_channel, str(who.get("user_id")))
        self._alerts = Alerts(messages, runner, self._deployment, Threads(8, "kb-alerts"))
        self._loops.append(asyncio.create_task(self._alerts.run(), name="alerts"))
        return Desk(
            settings=settings,
            runner=runner,
            messages=messages,
            files=Files(api, session, client.proxy),
            people=People(api, settings, who),
            seen=Seen(runner, Threads(8, "kb-seen")),
            started_at=utc_now(),
            paces=Paces(settings.rate_per_minute),
            nudge_audit=audit.nudge if audit is not None else _nothing,
        )

    def _open_audit(self, messages: Messages) -> AuditChannel | None:
        channel = self._settings.audit_channel
        if not channel:
            return None
        audit = AuditChannel(messages, self._deployment.engine, Threads(4, "kb-audit"), channel)
        self._loops.append(asyncio.create_task(audit.run(), name="audit"))
        return audit


def _nothing() -> None:
    """Stand in for the audit channel's nudge where there is no audit channel."""
