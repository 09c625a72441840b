"""Ten users who make and revoke keys without end delay nobody else's gateway key."""

from __future__ import annotations

from uuid import uuid4

from chatgrid_auth.services.usage_plans.ports import LiveKey
from tests.support.plan_world import World

CHURNERS = 10
MINUTES = 12
#: Of each churner in each minute, made and revoked: far more than a run has time for.
PIECES = 60
#: A gateway key is named once it has existed for a while, so that it works everywhere by then.
NAMED_AFTER_MINUTES = 6


def test_whoever_churns_each_new_key_of_others_is_served_within_its_minute() -> None:
    world = World()
    churners = [str(uuid4()) for _ in range(CHURNERS)]
    held: dict[str, list[LiveKey]] = {owner: [] for owner in churners}
    quiet: list[tuple[int, LiveKey]] = []
    for minute in range(MINUTES):
        for owner in churners:
            for key in held[owner][: PIECES // 2]:  # the older ones may have a gateway key by now
                world.store.revoke(key)
            kept = held[owner][PIECES // 2 :]
            held[owner] = kept + [world.issue(owner=owner) for _ in range(PIECES)]
        quiet.append((minute, world.issue(owner=str(uuid4()))))

        summary = world.run()

        assert summary.queue_depth > CHURNERS * PIECES / 2, "there was more than enough to do"
        assert world.gateway_keys().count(quiet[-1][1].key_id) == 1
        for made, key in quiet:
            if minute - made >= NAMED_AFTER_MINUTES:
                assert world.store.keys[key.key_hash].usage_key is not None
        world.assert_all_usable()
