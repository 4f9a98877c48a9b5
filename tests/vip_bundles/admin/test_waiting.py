"""Which handlers a bundle goes on by."""

from tickets_project.outbox.subscriptions import subscriptions
from vip_bundles.admin.tables import _PRINTING
from vip_bundles.admin.waiting import HANDLERS
from vip_bundles.facts import State
from vip_bundles.queries import HEAR_FAILURES
from vip_bundles.timeline import HEARS_TICKETS


class TestHandlers:
    def test_knows_each_state(self) -> None:
        assert set(HANDLERS) == set(State)

    def test_names_handlers_of_the_table_alone(self) -> None:
        named = {key for keys in HANDLERS.values() for key in keys}
        assert named <= {entry.key for entry in subscriptions()}

    def test_is_asked_for_by_names_of_the_table_alone(self) -> None:
        asked_for = {*HEAR_FAILURES, HEARS_TICKETS, *_PRINTING}
        assert asked_for <= {entry.key for entry in subscriptions()}

    def test_leaves_out_no_handler_of_bundles_but_those_that_only_tell(self) -> None:
        named = {key for keys in HANDLERS.values() for key in keys}
        own = {entry.key for entry in subscriptions() if entry.key.startswith("vip_bundles.")}
        assert own - named == {"vip_bundles.record_printed", "vip_bundles.tell_customer"}
