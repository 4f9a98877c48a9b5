"""Keeping every message while something is rebuilt from them."""

import pytest
from django.db import connection, transaction
from django.utils import timezone

from tests.bookings.threads import at_once, once_it_waits
from tests.tickets_project.outbox.aged import message
from tickets_project.outbox.errors import MessagesPruned
from tickets_project.outbox.keeping import may_prune, messages_kept, pruned_of
from tickets_project.outbox.models import PrunedType

pytestmark = pytest.mark.django_db(transaction=True)


def may_prune_elsewhere() -> bool:
    [answer] = at_once([may_prune])
    return bool(answer)


@pytest.fixture
def _some_pruned() -> None:
    PrunedType.objects.create(type="A_v1", messages=3, until=timezone.now())


class TestMessagesKept:
    def test_keeps_others_from_pruning_until_its_end(self) -> None:
        with messages_kept(["A_v1"]):
            assert not may_prune_elsewhere()
        assert may_prune_elsewhere()

    def test_ends_with_an_error_inside(self) -> None:
        with pytest.raises(ZeroDivisionError), messages_kept(["A_v1"]):
            raise ZeroDivisionError
        assert may_prune_elsewhere()

    def test_ends_with_its_connection(self) -> None:
        with messages_kept(["A_v1"]):
            connection.close()
        assert may_prune_elsewhere()

    def test_waits_for_the_batch_in_hand(self) -> None:
        def rebuild() -> int:
            with messages_kept(["A_v1"]):
                return 1

        assert once_it_waits(may_prune, rebuild) == 1

    @pytest.mark.usefixtures("_some_pruned")
    def test_refuses_when_some_are_pruned_already(self) -> None:
        with pytest.raises(MessagesPruned, match=r"pruned: 3 A_v1 until 20\d\d-\d\d-\d\d\."), messages_kept(["A_v1"]):
            pytest.fail("The block was entered.")
        assert may_prune_elsewhere()

    @pytest.mark.usefixtures("_some_pruned")
    def test_does_not_mind_types_that_are_not_read(self) -> None:
        with messages_kept(["B_v1"]):
            pass

    @pytest.mark.usefixtures("_some_pruned")
    def test_goes_on_when_the_loss_is_accepted(self) -> None:
        with messages_kept(["A_v1"], accept_loss=True):
            assert not may_prune_elsewhere()


class TestMayPrune:
    def test_is_no_obstacle_for_others_who_prune(self) -> None:
        with transaction.atomic():
            assert may_prune()
            assert may_prune_elsewhere()


class TestPrunedOf:
    @pytest.mark.usefixtures("_some_pruned")
    def test_knows_the_types_that_it_is_asked_for(self) -> None:
        assert [pruned.messages for pruned in pruned_of(["A_v1", "B_v1"])] == [3]
        assert not pruned_of(["B_v1"]).exists()

    def test_is_empty_as_long_as_nothing_is_pruned(self) -> None:
        message(days=1000)
        assert not pruned_of(["TicketPrinted_v1"]).exists()
