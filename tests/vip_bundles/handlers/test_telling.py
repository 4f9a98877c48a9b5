"""The customer's mail at the end of a bundle."""

from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from tests.factories import UserFactory, made_bundle
from tests.vip_bundles.stored import booking_failed, hear, initialized, leaving_nothing, standing, stored, tell
from tests.working import deliver_all
from tickets_project.notifications.models import Notification
from tickets_project.outbox.errors import NotReplayable
from tickets_project.outbox.models import Delivery, Message
from tickets_project.outbox.replaying import Selection, plan_replay, replay
from vip_bundles.events import VipBundleFinalizedV1
from vip_bundles.facts import State
from vip_bundles.handlers.telling import tell_customer
from vip_bundles.models import VipBundle

KEY = "vip_bundles.tell_customer"


def finalized(bundle: VipBundle, *, success: bool = True) -> VipBundleFinalizedV1:
    return VipBundleFinalizedV1(vip_bundle_id=str(bundle.id), success=success)


def mails() -> list[Any]:
    """Deliver the mails that are due; return all that were sent to customers about bundles."""
    deliver_all(KEY, "notifications.send")
    about = [sent for sent in mail.outbox if "VIP bundle" in sent.subject]
    assert all(isinstance(sent, EmailMultiAlternatives) for sent in about)
    return about


def html_of(sent: Any) -> str:
    [(html, kind)] = sent.alternatives
    assert kind == "text/html"
    return str(html)


def bundle_without_owner() -> VipBundle:
    bundle = made_bundle()
    VipBundle.objects.filter(id=bundle.id).update(owner=None)
    return bundle


@pytest.mark.django_db
class TestTellCustomer:
    def test_tells_the_owner_at_the_bundle_s_address(self) -> None:
        ada = UserFactory.create(email="ada@customers.example")
        bundle = made_bundle(owner=ada)
        VipBundle.objects.filter(id=bundle.id).update(customer_email="desk@customers.example")
        tell_customer(finalized(bundle))
        notice = Notification.objects.get()
        assert (notice.template, notice.recipient, notice.email) == (
            "vip_bundle_finalized",
            ada,
            "desk@customers.example",
        )
        assert (notice.about_type, notice.about_id) == ("vipbundle", str(bundle.id))
        assert notice.context == {
            "vip_bundle_id": str(bundle.id),
            "success": True,
            "failure_reason": None,
            "title": "Carmen",
        }

    def test_says_why_it_failed(self) -> None:
        bundle = standing(State.FAILED)
        tell_customer(finalized(bundle, success=False))
        assert Notification.objects.get().context == {
            "vip_bundle_id": str(bundle.id),
            "success": False,
            "failure_reason": "no taxi",
            "title": "Carmen",
        }

    def test_tells_a_customer_without_an_account(self) -> None:
        bundle = bundle_without_owner()
        tell_customer(finalized(bundle))
        assert (Notification.objects.get().recipient, Notification.objects.get().email) == (None, bundle.customer_email)

    def test_fails_loudly_without_its_bundle(self) -> None:
        with leaving_nothing(), pytest.raises(VipBundle.DoesNotExist):
            tell_customer(VipBundleFinalizedV1(vip_bundle_id=str(uuid4()), success=True))


@pytest.mark.django_db(transaction=True)
class TestTellCustomerDelivered:
    def test_sends_one_mail_when_all_is_booked(self) -> None:
        bundle = standing(State.FINALIZED)
        [sent] = mails()
        assert (sent.to, sent.subject) == ([bundle.customer_email], "Your VIP bundle for Carmen is complete")
        for text in (sent.body, html_of(sent)):
            assert "verything that you asked for is booked" in text
            assert str(bundle.id) in text
            assert "refunded" not in text

    def test_sends_one_mail_with_the_reason_when_it_failed(self) -> None:
        bundle = standing(State.FAILED)
        assert stored(bundle).failure_reason == "no taxi"
        [sent] = mails()
        assert (sent.to, sent.subject) == ([bundle.customer_email], "Your VIP bundle for Carmen could not be completed")
        assert "Reason: no taxi\n" in sent.body
        for text in (sent.body, html_of(sent)):
            assert "confirmed tickets are being refunded" in text
            assert "no taxi" in text
            assert "is complete" not in text

    def test_sends_one_mail_when_the_show_was_full(self) -> None:
        bundle = made_bundle()
        hear(initialized(bundle), booking_failed(bundle))
        [sent] = mails()
        assert "Reason: sold out\n" in sent.body

    @pytest.mark.parametrize("state", [State.FINALIZED, State.FAILED])
    def test_is_left_out_of_a_replay(self, state: State) -> None:
        standing(state)
        assert len(mails()) == 1
        with pytest.raises(NotReplayable):
            plan_replay(Selection(handlers=(KEY,)))
        assert replay(plan_replay(Selection(types=("VipBundleFinalized_v1",))), by="ann") == 0
        assert len(mails()) == 1

    def test_sends_nothing_more_for_messages_that_come_after_the_end(self) -> None:
        bundle = standing(State.FINALIZED)
        hear(initialized(bundle), booking_failed(bundle))
        assert len(mails()) == 1
        assert Message.objects.filter(type="VipBundleFinalized_v1").count() == 1

    def test_is_tried_again_when_its_bundle_is_missing(self) -> None:
        tell(VipBundleFinalizedV1(vip_bundle_id=str(uuid4()), success=False))
        assert mails() == []
        delivery = Delivery.objects.get(handler=KEY)
        assert (delivery.status, delivery.attempts) == ("pending", 1)
        assert "VipBundle matching query does not exist" in delivery.last_error
