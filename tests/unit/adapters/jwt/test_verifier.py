"""A token becomes a caller, nothing, or an outage; what was verified once is recognised."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import chatgrid_auth
from chatgrid_auth.adapters.jwt import verifier as verifier_module
from chatgrid_auth.adapters.jwt.claims import ClaimRules
from chatgrid_auth.adapters.jwt.jwks_cache import SOFT_AGE_MS, STALE_AGE_MS, WAIT_SECONDS
from chatgrid_auth.adapters.jwt.token_cache import TokenCache
from chatgrid_auth.adapters.jwt.verification_keys import VerificationKey
from chatgrid_auth.adapters.jwt.verifier import JwtVerifier, Remembered, build_verifier
from chatgrid_auth.domain.errors import IdentityProviderUnavailable
from chatgrid_auth.settings import JwtSettings
from tests.support.jwt_material import AUDIENCE, ISSUER, NOW_MS, Provider, verifier_for
from tests.support.slow_fetches import Waiting, waiting
from tests.vectors.jwt.forge import USER, new_private_jwks

__all__ = ["waiting"]  # a fixture

DAY_MS = 86_400_000
LONG = {"claims": {"exp": "$now+864000"}}


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signatures were really checked."""
    checked: list[str] = []
    real = VerificationKey.verifies

    def verifies(self: VerificationKey, token: str, *, payload: bytes) -> bool:
        checked.append(token)
        return real(self, token, payload=payload)

    monkeypatch.setattr(VerificationKey, "verifies", verifies)
    return checked


def test_a_caller_is_what_the_token_says_and_no_more() -> None:
    provider = Provider()
    claims = verifier_for(provider).verify(provider.forge().token({}), now_ms=NOW_MS)
    assert claims is not None
    assert (claims.user_id, claims.email, claims.anonymous, claims.expires_at_ms) == (
        USER,
        "kim@example.org",
        False,
        NOW_MS + 3_600_000,
    )


def test_anonymous_users_are_let_in_only_when_the_operator_says_so() -> None:
    provider = Provider()
    token = provider.forge().token({"claims": {"is_anonymous": True, "email": ""}})
    assert verifier_for(provider).verify(token, now_ms=NOW_MS) is None
    claims = verifier_for(provider, accept_anonymous=True).verify(token, now_ms=NOW_MS)
    assert claims is not None
    assert claims.anonymous is True
    assert claims.email is None


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA", "HS256"])
def test_an_algorithm_that_is_not_accepted_is_refused(algorithm: str) -> None:
    provider = Provider()
    token = provider.forge().token({"alg": algorithm})
    others = frozenset({"ES256", "RS256", "EdDSA", "HS256"} - {algorithm})
    assert verifier_for(provider).verify(token, now_ms=NOW_MS) is not None
    assert verifier_for(provider, algorithms=others).verify(token, now_ms=NOW_MS) is None


def test_a_token_is_verified_once_and_recognised_after_that(signatures: list[str]) -> None:
    provider = Provider()
    verifier = verifier_for(provider)
    token = provider.forge().token({})
    first = verifier.verify(token, now_ms=NOW_MS)
    assert verifier.verify(token, now_ms=NOW_MS + 1) is first
    assert len(signatures) == 1


def test_a_recognised_token_still_ends_at_its_expiry_plus_the_leeway() -> None:
    provider = Provider()
    verifier = verifier_for(provider)
    token = provider.forge().token({"claims": {"exp": "$now+60"}})
    assert verifier.verify(token, now_ms=NOW_MS) is not None
    assert verifier.verify(token, now_ms=NOW_MS + 64_999) is not None
    assert verifier.verify(token, now_ms=NOW_MS + 65_000) is None


def test_the_age_of_the_keys_behind_a_token_is_known() -> None:
    """The age of the set in which the provider published them."""
    provider = Provider()
    verifier = verifier_for(provider)
    token = provider.forge().token(LONG)

    def age_ms(token: str, *, after_ms: int) -> int | None:
        assert verifier.verify(token, now_ms=NOW_MS + after_ms) is not None
        return verifier.jwks_age_ms(NOW_MS + after_ms)

    assert verifier.jwks_age_ms(NOW_MS) is None
    assert age_ms(token, after_ms=0) == 0
    assert age_ms(token, after_ms=1_000) == 1_000
    assert age_ms(provider.forge().token({"alg": "HS256", **LONG}), after_ms=2_000) is None
    assert age_ms(token, after_ms=3_000) == 3_000
    assert age_ms(token, after_ms=STALE_AGE_MS) == 0, "they were fetched again"
    provider.down = True
    assert age_ms(token, after_ms=STALE_AGE_MS + 3_600_000) == 3_600_000


def test_a_refusal_is_never_remembered() -> None:
    provider = Provider()
    verifier = verifier_for(provider)
    token = provider.forge().token({"claims": {"nbf": "$now+60"}})
    assert verifier.verify(token, now_ms=NOW_MS) is None
    assert verifier.verify(token, now_ms=NOW_MS + 60_000) is not None


def test_a_recognised_token_is_refused_after_its_key_was_withdrawn(signatures: list[str]) -> None:
    provider = Provider()
    verifier = verifier_for(provider)
    token = provider.forge().token(LONG)
    assert verifier.verify(token, now_ms=NOW_MS) is not None
    provider.jwks = new_private_jwks()
    assert verifier.verify(token, now_ms=NOW_MS + STALE_AGE_MS) is None


def test_withdrawing_one_key_leaves_tokens_of_the_others_good(signatures: list[str]) -> None:
    provider = Provider()
    verifier = verifier_for(provider)
    forge = provider.forge()
    gone, stays = forge.token(LONG), forge.token({"alg": "RS256", **LONG})
    assert verifier.verify(gone, now_ms=NOW_MS)
    assert verifier.verify(stays, now_ms=NOW_MS)
    provider.jwks = [jwk for jwk in provider.jwks if jwk["alg"] != "ES256"]
    assert verifier.verify(gone, now_ms=NOW_MS + STALE_AGE_MS) is None
    assert verifier.verify(stays, now_ms=NOW_MS + STALE_AGE_MS) is not None
    assert signatures == [gone, stays, stays], "the memory was emptied, and stays verified anew"


def test_a_token_verified_while_its_key_was_withdrawn_is_not_recognised_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = Provider()
    memory: TokenCache[Remembered] = TokenCache()
    verifier = verifier_for(provider, memory=memory)
    token = provider.forge().token({})
    real = VerificationKey.verifies

    def meanwhile(self: VerificationKey, token: str, *, payload: bytes) -> bool:
        memory.forget_all()
        return real(self, token, payload=payload)

    monkeypatch.setattr(VerificationKey, "verifies", meanwhile)
    assert verifier.verify(token, now_ms=NOW_MS) is not None
    assert not memory.generation


def test_a_token_is_not_recognised_by_a_withdrawn_key() -> None:
    """The key is withdrawn while it is looked for."""
    provider = Provider()
    memory: TokenCache[Remembered] = TokenCache()
    in_the_air: list[Callable[[], None]] = []

    def spawn(work: Callable[[], None]) -> None:
        if provider.fetches:
            in_the_air.append(work)
        else:
            work()

    class Shelf(dict[bytes, Remembered]):
        def get(self, *arguments: Any) -> Any:
            found = super().get(*arguments)
            while in_the_air:
                in_the_air.pop()()
            return found

    verifier = verifier_for(provider, memory=memory, spawn=spawn)
    token = provider.forge().token(LONG)
    assert verifier.verify(token, now_ms=NOW_MS) is not None
    provider.jwks = new_private_jwks()
    late_ms = NOW_MS + STALE_AGE_MS
    assert verifier.verify(token, now_ms=late_ms - 1) is not None
    assert in_the_air, "the new keys are on their way"
    memory.generation = Shelf(memory.generation)
    assert verifier.verify(token, now_ms=late_ms) is None


def test_recognised_tokens_keep_the_keys_fresh() -> None:
    provider = Provider()
    verifier = verifier_for(provider)
    token = provider.forge().token(LONG)
    for step in range(10):
        assert verifier.verify(token, now_ms=NOW_MS + step * SOFT_AGE_MS) is not None
    assert provider.fetches == 10


def test_a_recognised_token_outlives_an_outage_up_to_the_hard_age(signatures: list[str]) -> None:
    provider = Provider()
    verifier = verifier_for(provider, hard_age_ms=DAY_MS)
    token = provider.forge().token(LONG)
    assert verifier.verify(token, now_ms=NOW_MS) is not None
    provider.down = True
    for now_ms in range(NOW_MS, NOW_MS + DAY_MS, 600_000):
        assert verifier.verify(token, now_ms=now_ms) is not None
    assert len(signatures) == 1
    with pytest.raises(IdentityProviderUnavailable):
        verifier.verify(token, now_ms=NOW_MS + DAY_MS)


def test_nothing_cached_and_nobody_there_is_an_outage_and_not_a_refusal() -> None:
    provider = Provider()
    provider.down = True
    with pytest.raises(IdentityProviderUnavailable):
        verifier_for(provider).verify(provider.forge().token({}), now_ms=NOW_MS)


@pytest.fixture
def hanging(waiting: Waiting) -> tuple[Provider, JwtVerifier]:
    """A provider that has answered once and now leaves fetches hanging, and its verifier."""
    provider = Provider()

    def spawn(work: Callable[[], None]) -> None:
        if not provider.down:
            work()

    verifier = verifier_for(provider, spawn=spawn, monotonic=waiting.monotonic)
    assert verifier.verify(provider.forge().token({"alg": "RS256"}), now_ms=NOW_MS) is not None
    provider.down = True
    return provider, verifier


@pytest.mark.parametrize("after_ms", [STALE_AGE_MS, STALE_AGE_MS + 60_000, DAY_MS - 1])
def test_a_decision_waits_once_for_a_hanging_provider(
    hanging: tuple[Provider, JwtVerifier], waiting: Waiting, after_ms: int
) -> None:
    """Then it goes by the last good keys."""
    provider, verifier = hanging
    now_ms = NOW_MS + after_ms
    assert verifier.verify(provider.forge().token(LONG), now_ms=now_ms) is not None
    assert waiting.seconds == WAIT_SECONDS


@pytest.mark.parametrize("after_ms", [SOFT_AGE_MS, STALE_AGE_MS, DAY_MS, 2 * DAY_MS])
def test_an_unknown_keys_decision_waits_once_for_a_hanging_provider(
    hanging: tuple[Provider, JwtVerifier], waiting: Waiting, after_ms: int
) -> None:
    _, verifier = hanging
    unknown = Provider(new_private_jwks()).forge().token(LONG)
    with pytest.raises(IdentityProviderUnavailable):
        verifier.verify(unknown, now_ms=NOW_MS + after_ms)
    assert waiting.seconds == WAIT_SECONDS


def test_the_first_keys_are_fetched_while_pyjwt_is_loaded(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does loading spend the time that a decision has for fetches."""
    provider = Provider()
    on_their_way: list[Callable[[], None]] = []
    verifier = verifier_for(provider, spawn=on_their_way.append, monotonic=waiting.monotonic)

    def load() -> None:
        assert len(on_their_way) == 1
        waiting.seconds += 10

    def land(_longest: float) -> float:
        on_their_way.pop()()
        return 2.0

    monkeypatch.setattr(verifier_module, "load_pyjwt", load)
    waiting.meanwhile = land
    assert verifier.verify(provider.forge().token({}), now_ms=NOW_MS) is not None
    assert verifier.verify(provider.forge().token(LONG), now_ms=NOW_MS) is not None
    assert (provider.fetches, waiting.seconds) == (1, 12)


@pytest.mark.parametrize("fault", [ImportError, OSError, MemoryError])
def test_what_cannot_be_loaded_is_an_outage_until_it_can(
    fault: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Provider()
    verifier = verifier_for(provider)

    def fail() -> None:
        raise fault

    token = provider.forge().token({})
    with monkeypatch.context() as broken:
        broken.setattr(verifier_module, "load_pyjwt", fail)
        with pytest.raises(IdentityProviderUnavailable, match="cannot be loaded"):
            verifier.verify(token, now_ms=NOW_MS)
    assert verifier.verify(token, now_ms=NOW_MS) is not None


@pytest.mark.parametrize("missing", ["jwt", "cryptography", "_cffi_backend"])
def test_pyjwt_that_could_verify_no_public_key_is_not_loaded(missing: str) -> None:
    """It would take each of them for no key, and so each good token for a forged one."""
    script = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from chatgrid_auth.adapters.jwt.loading import load_pyjwt\n"
        "import gc\n"
        "try:\n    load_pyjwt()\n"
        "except ImportError:\n    print(gc.isenabled())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


def test_the_shared_secret_needs_no_published_keys() -> None:
    provider = Provider()
    provider.down = True
    token = provider.forge().token({"alg": "HS256"})
    assert verifier_for(provider).verify(token, now_ms=NOW_MS) is not None
    assert provider.fetches == 0


@pytest.mark.parametrize("algorithm", ["ES256", "HS256"])
def test_an_accepted_algorithm_without_a_place_for_its_keys_is_refused(algorithm: str) -> None:
    provider = Provider()
    verifier = JwtVerifier(
        rules=ClaimRules(
            issuer=ISSUER, audience=AUDIENCE, leeway_seconds=5, accept_anonymous=False
        ),
        algorithms=frozenset((algorithm,)),
        published=None,
        secret=None,
        memory=TokenCache(),
    )
    token = provider.forge().token({"alg": algorithm})
    assert verifier.verify(token, now_ms=NOW_MS) is None


def test_a_rotated_key_is_found_by_the_first_token_that_it_signed() -> None:
    provider = Provider()
    verifier = verifier_for(provider)
    old = provider.forge().token({})
    assert verifier.verify(old, now_ms=NOW_MS) is not None
    provider.jwks = [*new_private_jwks(), *provider.jwks]
    new = provider.forge().token({})
    assert verifier.verify(new, now_ms=NOW_MS + 10_000) is not None
    assert verifier.verify(old, now_ms=NOW_MS + 10_000) is not None


def test_without_a_supabase_url_every_jwt_is_refused() -> None:
    verifier = build_verifier(JwtSettings(""))
    assert verifier.verify(Provider().forge().token({}), now_ms=NOW_MS) is None


def test_hs256_without_credentials_is_said_at_once() -> None:
    settings = JwtSettings(
        "https://abcdefghijklmnop.supabase.co",
        algorithms=("HS256",),
        secret_arn="arn:aws:secretsmanager:eu-central-1:111122223333:secret:jwt-AbCdEf",
    )
    with pytest.raises(ValueError, match="credentials"):
        build_verifier(settings)


def test_settings_are_checked_without_loading_pyjwt_or_cryptography() -> None:
    script = (
        "import sys; from chatgrid_auth.settings import jwt_settings;"
        "jwt_settings({'SUPABASE_URL': 'https://abcdefghijklmnop.supabase.co'});"
        "loaded = {'jwt', 'cryptography', 'json', 're', 'typing'} & set(sys.modules);"
        "sys.exit(repr(loaded) if loaded else 0)"
    )
    # -S: without site, so that what is loaded is what the module itself asks for.
    path = str(Path(chatgrid_auth.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
