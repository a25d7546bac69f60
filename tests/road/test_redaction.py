"""Secrets from outside are hidden before anything is kept or shown."""

import json
import re
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base_agent.redaction import HIDDEN, hide_also, plain, redact, shorten

SECRET = "s3cr3t-V4lue"


@pytest.fixture(autouse=True)
def nothing_of_our_own() -> Iterator[None]:
    """What other tests' settings hide is out of the way here, and what is set here goes again."""
    hide_also()
    yield
    hide_also()


@pytest.mark.parametrize(
    "text",
    [
        f"{{'password': '{SECRET}', 'x': 1}}",
        f'{{"api_key": "{SECRET}"}}',
        f"client_secret={SECRET} rest",
        f"find '{{api_key:' '{SECRET}}}' FAILURE",
        f"find '{{\"api_key\":' '\"{SECRET}\"}}' FAILURE",
        f"Authorization: Bearer {SECRET}",
        f"Authorization: Token {SECRET}",
        f"Authorization: Custom {SECRET}",
        f'Authorization: Digest username="otto", response="{SECRET}"',
        f"Cookie: theme=dark; session={SECRET}",
        f"redis://user:{SECRET}@host:6379/0",
        f"redis://:{SECRET}@host",
        f"postgresql://kb:{SECRET}@db/kb failed",
        f"postgresql://kb:p@ss/{SECRET}@db/kb failed",
        f"https://{SECRET}{SECRET}@o1.ingest.example/1",
        f"https://bucket.example/x?sig={SECRET}&kept=1",
        f"https://hooks.slack.com/services/T0/B0/{SECRET}",
        f"AUTH_TOKEN={SECRET},",
        f"{{'credentials': {{'user': 'x', 'parts': ['a', '{SECRET}']}}}}",
        f"{{'auth': ('user', '{SECRET}')}}",
        f"{{'password': b'{SECRET}'}}",
        f"('password', '{SECRET}')",
        f"['run', '--token', '{SECRET}']",
        f"run --db-password {SECRET} --fast",
        f"password=SecretStr('{SECRET}')",
        f"password: |\n  {SECRET}",
        f"password='first line\n{SECRET}'",
        f"password='cut off before its end {SECRET}",
        f'{{"body": "{{\\"password\\": \\"{SECRET}\\"}}"}}',
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET} and cut off",
        f"{{'grant_type': 'password', 'password': '{SECRET}', 'username': 'bob'}}",
        f"{{'action': 'reset_password', 'password': '{SECRET}'}}",
        f"{{'kind': 'token', 'token': '{SECRET}', 'a': 'token', 'token': '{SECRET}'}}",
        f"{{'grant_type': 'refresh_token', 'client_secret': b'{SECRET}'}}",
        f'{{"event": "password_changed", "new_password": "{SECRET}"}}',
        f'{{"body": "{{\\"kind\\": \\"token\\", \\"token\\": \\"{SECRET}\\"}}"}}',
        f"{{'grant_type' => 'password', 'password' => '{SECRET}'}}",
        f"['kind', 'password', 'password', '{SECRET}']",
        f"{{'token': 'password', 'secret': '{SECRET}'}}",
        f"pwd: token: {SECRET}",
        f"call(kind='token:', new_password='{SECRET}')",
        f"{{'token:': '{SECRET} and more'}}",
        f"say Bearer {SECRET}",
        f"because the password {SECRET} is known",
        f"because the token is '{SECRET}'",
    ],
)
def test_a_named_or_embedded_secret_is_hidden(text: str) -> None:
    assert SECRET not in redact(text)
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "token",
    [
        "xoxb-123456789012-abcdef",
        "xoxe.xoxp-1-abcdefgh",
        "xapp-1-A0B1C2D3-456",
        "ghp_" + "a" * 36,
        "glpat-" + "a" * 20,
        "AKIA" + "A" * 16,
        "sk_live_" + "a" * 24,
        "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0",
    ],
)
def test_tokens_of_known_shapes_are_hidden_wherever_they_stand(token: str) -> None:
    assert token not in redact(f"it said {token}!")


@pytest.mark.parametrize(
    "text",
    [
        "run_agent(source='/docs', limit=3) at redis://127.0.0.1:6379/0",
        "http://host:8080/path?mail=otto@example.org",
        "redis://[::1]:6379/0",
        "3 of 5 workers answered; passed: 4, compass=north",
        "the token bucket is empty, and the password expired on 2026-11-28",
        "bearer of bad news; token 123456789012; secret rotation",
    ],
)
def test_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_only_the_value_is_hidden_and_the_sentence_goes_on() -> None:
    assert redact("password = hunter2. It failed.") == f"password = {HIDDEN}. It failed."
    assert redact("{'token': 'a', 'kept': 1}") == f"{{'token': {HIDDEN}, 'kept': 1}}"
    assert redact("password=hunter2[0m was wrong") == f"password={HIDDEN} was wrong"
    assert redact("token=f(a, 'b'), kept=1") == f"token={HIDDEN}, kept=1"
    assert redact("{'a': 'pwd: x', 'j': 1}") == f"{{'a': 'pwd: {HIDDEN}', 'j': 1}}"
    assert (
        redact('{"b": "{\\"a\\": \\"pwd: x\\"}"}') == f'{{"b": "{{\\"a\\": \\"pwd: {HIDDEN}\\"}}"}}'
    )
    assert redact("{'kind': 'token', 'j': 1}") == "{'kind': 'token', 'j': 1}"


def test_what_looks_like_a_token_is_hidden_in_a_sentence_and_no_word_is() -> None:
    assert redact("sent bearer abcdefgh again") == f"sent bearer {HIDDEN} again"
    assert redact("a Bearer abcdefg") == "a Bearer abcdefg"
    assert redact("the token is abcdefgh1234, so") == f"the token is {HIDDEN}, so"
    assert redact("the password abcdefgh1234 leaked") == f"the password {HIDDEN} leaked"
    assert redact("the password abcdefgh123 leaked") == "the password abcdefgh123 leaked"
    assert redact("token authentication failed") == "token authentication failed"


def test_the_end_of_a_url_does_not_run_into_the_sentence() -> None:
    url = "https://h/x?token=x&sig=y&page=2&api_key=z"
    hidden = f"https://h/x?token={HIDDEN}&sig={HIDDEN}&page=2&api_key={HIDDEN}"
    for before, after in (
        ("run '", "' A worker takes it"),
        ("see ", ". Then"),
        ("(", ") and"),
        ('{"u": "', '"}'),
    ):
        assert redact(f"{before}{url}{after}") == f"{before}{hidden}{after}"


def as_url(name: str, secret: str) -> str:
    return f"connecting to amqp://user:{quote(secret, safe='')}@broker:5672//"


def in_a_log_line(name: str, secret: str) -> str:
    return f"2026-11-28 03:12:01 ERROR request failed {name}={json.dumps(secret)} retry=3"


CARRIERS: list[Callable[[str, str], str]] = [
    lambda name, secret: repr({"a": [{"b": {name: secret}}], "z": 1}),
    lambda name, secret: json.dumps({"a": [{"b": {name: secret}}], "z": 1}),
    lambda name, secret: json.dumps({"inner": json.dumps({name: secret})}),
    lambda name, secret: repr((1, (name, secret))),
    lambda name, secret: repr({name: {"deep": [secret, {"deeper": secret}]}}),
    lambda name, secret: repr({name: secret.encode()}),
    lambda name, secret: f"call({name}={secret!r}, more=1)",
    lambda name, secret: repr(ValueError(f"{name}={secret!r} is wrong")),
    in_a_log_line,
    as_url,
]
NAMES = st.sampled_from(
    ["password", "db_password", "API_KEY", "clientSecret", "x-auth-token", "Authorization", "cookie", "Credentials"]
)  # fmt: skip
SECRETS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=30)


@given(st.sampled_from(CARRIERS), NAMES, SECRETS, st.text(max_size=40), st.text(max_size=40))
def test_a_planted_secret_is_found_in_nothing_that_is_shown(
    carrier: Callable[[str, str], str], name: str, secret: str, before: str, after: str
) -> None:
    planted = f"PL4NT3D{secret}3ND"
    carried = carrier(name, planted)
    for text in (carried, f"{before} {carried}", f"{carried} {after}"):
        assert "PL4NT3D" not in redact(text)
        assert "3ND" not in redact(text).replace(after, "")
        assert "PL4NT3D" not in plain(text, 500)


def test_an_invisible_sign_within_a_name_does_not_save_its_value() -> None:
    assert SECRET not in plain(f"pass\u200bword={SECRET}")


@pytest.mark.parametrize(
    "piece",
    ["a.", "a-", "a://:", "x", "password=", "'password': '", "eyJ", "--", "://a:b@", "token", "token:", "\\",
     " ", "([{", "-----BEGIN ", "?key=&", "token: \\\"", "'token', ", "password=(\\'", "authorization: ",
     "token=a[ ", "token=a[('x", "'password', 'token': ", "'token', \\\"", "bearer ", "token 1a", "?token=&",
     "?token=", "pwd: token: ", "token:' ", "\"token', '", "token is '1a"],
)  # fmt: skip
def test_no_text_takes_more_than_its_length_to_look_through(piece: str) -> None:
    def seconds(times: int) -> float:
        text = piece * times
        began = time.process_time()
        redact(text)
        return time.process_time() - began

    short, long = min(seconds(2_000) for _ in range(3)), seconds(16_000)
    assert long < 40 * short + 0.05  # eight times the text: the square would be 64 times


def test_names_patterns_and_values_of_ones_own_are_hidden_too() -> None:
    hide_also(names=["iban"], patterns=[r"KD-\d{6}"], values=["0123456789abcdef", "short"])
    assert redact("customer_iban=DE02") == f"customer_iban={HIDDEN}"
    assert redact("for KD-123456 today") == f"for {HIDDEN} today"
    assert redact("signed with 0123456789abcdef.") == f"signed with {HIDDEN}."
    assert redact("a short word, urbanity=1") == "a short word, urbanity=1"
    hide_also()
    assert redact("customer_iban=DE02") == "customer_iban=DE02"


@given(st.text(max_size=400), st.integers(1, 200))
def test_a_plain_line_is_one_line_and_within_its_limit(text: str, limit: int) -> None:
    line = plain(text, limit)
    assert len(line) <= limit
    assert line.splitlines() in ([line], [])
    assert not set(line) & {"\u202e", "\u2066", "\x1b", "\x00"}


def test_a_shortened_text_says_that_it_is() -> None:
    assert shorten("abcdef", 4) == ("abc…", True)
    assert shorten("abc", 4) == ("abc", False)
    assert re.compile("…$").search(shorten("abcdef", 4)[0])
