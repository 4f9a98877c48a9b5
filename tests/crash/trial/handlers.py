"""The handlers of the trials: good ones, and each kind of bad one."""

import os
import signal
from functools import partial
from time import sleep

from tests.crash.trial.effects import take_effect
from tests.crash.trial.messages import BystoodV1, DozedV1, FailedV1, FatalV1, HurriedV1, NotedV1, PaidV1, SleptV1
from tickets_project.gateway import payments
from tickets_project.outbox.subscriptions import Recording


def note(message: NotedV1) -> None:
    take_effect("trial.note", message.number)


def note_too(message: NotedV1) -> None:
    take_effect("trial.note_too", message.number)


def pay(message: PaidV1) -> Recording:
    key = f"trial:{message.number}"
    payments.refund(payment_reference=key, reason="trial", deduplication_id=key)
    return partial(take_effect, "trial.pay", message.number)


def kill(_message: FatalV1) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def stand_by(message: BystoodV1) -> None:
    take_effect("trial.stand_by", message.number)


def fail(message: FailedV1) -> None:
    take_effect("trial.fail", message.number)
    raise ValueError(message.number)


def sleep_outside(message: SleptV1) -> Recording:
    sleep(message.seconds)
    return partial(take_effect, "trial.sleep", message.number)


def hurry(message: HurriedV1) -> Recording:
    sleep(message.seconds)
    return partial(take_effect, "trial.hurry", message.number)


def doze(message: DozedV1) -> None:
    sleep(message.seconds)
    take_effect("trial.doze", message.number)
