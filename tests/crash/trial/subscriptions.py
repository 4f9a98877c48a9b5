"""The subscription table of the trials, in place of the project's."""

from tests.crash.trial import handlers, messages
from tests.crash.trial.messages import BystoodV1, DozedV1, FailedV1, FatalV1, HurriedV1, NotedV1, PaidV1, SleptV1
from tickets_project.outbox.retries import RetryPolicy
from tickets_project.outbox.subscriptions import Subscription, Subscriptions

FEW = RetryPolicy(delays=(0.2, 0.2))

SUBSCRIPTIONS = Subscriptions(
    Subscription(NotedV1, "trial.note", handlers.note),
    Subscription(NotedV1, "trial.note_too", handlers.note_too),
    Subscription(PaidV1, "trial.pay", handlers.pay, external=True, retry=RetryPolicy(delays=(0.2,) * 30)),
    Subscription(FatalV1, "trial.kill", handlers.kill, retry=FEW),
    Subscription(BystoodV1, "trial.stand_by", handlers.stand_by, retry=FEW),
    Subscription(FailedV1, "trial.fail", handlers.fail),
    Subscription(SleptV1, "trial.sleep", handlers.sleep_outside, external=True),
    Subscription(HurriedV1, "trial.hurry", handlers.hurry, external=True, urgent=True),
    Subscription(DozedV1, "trial.doze", handlers.doze),
    declared_in=(messages,),
)
