"""Every hostile token is refused as a value, and every valid one next to it is let in."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatgrid_auth.adapters.jwt.verifier import JwtVerifier
from tests.support.jwt_material import NOW_MS, Provider, verifier_for
from tests.vectors.jwt import generate
from tests.vectors.jwt.forge import USER, Forge, Recipe, recipes

HOSTILE = recipes("hostile")
VALID = recipes("valid")


@pytest.fixture(scope="module")
def provider() -> Provider:
    return Provider()


@pytest.fixture(scope="module")
def verifier(provider: Provider) -> JwtVerifier:
    return verifier_for(provider)


@pytest.fixture(scope="module")
def forge(provider: Provider) -> Forge:
    return provider.forge()


@pytest.mark.parametrize("recipe", HOSTILE, ids=lambda recipe: recipe["name"])
def test_a_hostile_token_is_refused_without_a_fetch_or_an_exception(
    recipe: Recipe, provider: Provider, verifier: JwtVerifier, forge: Forge
) -> None:
    good = forge.token(VALID[0])
    assert verifier.verify(good, now_ms=NOW_MS) is not None
    fetches = provider.fetches
    token = forge.token(recipe)
    assert token != good
    assert verifier.verify(token, now_ms=NOW_MS) is None
    assert verifier.verify(token, now_ms=NOW_MS) is None, "the second time, from the memory"
    assert verifier.verify(good, now_ms=NOW_MS) is not None
    assert provider.fetches == fetches


@pytest.mark.parametrize("recipe", VALID, ids=lambda recipe: recipe["name"])
def test_a_valid_token_is_let_in(recipe: Recipe, verifier: JwtVerifier, forge: Forge) -> None:
    claims = verifier.verify(forge.token(recipe), now_ms=NOW_MS)
    assert claims is not None
    assert claims.user_id == USER


def test_a_hostile_token_is_refused_while_the_provider_is_down_as_well(forge: Forge) -> None:
    provider = Provider()
    provider.down = True
    verifier = verifier_for(provider)
    refused = 0
    for recipe in HOSTILE:
        if recipe["family"] in {"times", "issuers", "audiences", "subjects", "roles"}:
            assert verifier.verify(forge.token(recipe), now_ms=NOW_MS) is None
            refused += 1
    assert refused > 60
    assert provider.fetches == 0, "nothing is fetched for a token that would be refused anyway"


def test_there_are_at_least_120_hostile_tokens_and_no_two_are_alike() -> None:
    recipes_alone = [
        str({k: v for k, v in recipe.items() if k not in {"name", "source", "family"}})
        for recipe in HOSTILE
    ]
    assert len(set(recipes_alone)) == len(HOSTILE) >= 120
    assert len({recipe["name"] for recipe in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize("name", ["hostile", "valid"])
def test_the_stored_recipes_are_the_generated_ones(name: str) -> None:
    stored = (Path(generate.__file__).parent / f"{name}.json").read_text("utf-8")
    assert stored == generate.render(getattr(generate, name)())
