"""What dispatchers do with deliveries, and what befalls them, as rules of a hypothesis machine."""

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.tickets_project.outbox.claims_handlers import HANDLERS
from tests.tickets_project.outbox.claims_rows import ModelHandler
from tests.tickets_project.outbox.claims_working import DISPATCHERS, LEASE_TIME, Working, pick
from tickets_project.outbox import claiming

NUMBER, WHO = st.integers(0, 99), st.sampled_from(list(DISPATCHERS))
SOME = st.sampled_from([HANDLERS, HANDLERS, HANDLERS[:2], HANDLERS[2:], *([each] for each in HANDLERS)])
BADLY = ["not yet", *["not yet at once"] * 3, "fail", "fail at once", "fail at once", "die", "die at once", "give up"]
HOW = st.sampled_from([*BADLY, *["ok"] * 4, "follow", "follow"])


def has_work(machine: "Dispatchers") -> bool:
    return bool(machine.unrun) or machine.model.is_due(HANDLERS)


def has_in_hand(machine: "Dispatchers") -> bool:
    return bool(machine.in_hand)


class Dispatchers(Working):
    """They claim, run and commit; they are slow, stop, die, or are thought to be dead."""

    @rule()
    def look(self) -> None:
        """Look where claims are to begin from now on."""
        self.since = claiming.look(handlers=[each.key for each in HANDLERS]).since

    @precondition(has_work)
    @rule(who=WHO, handlers=SOME, limit=st.integers(1, 6))
    def take(self, who: str, handlers: Sequence[ModelHandler], limit: int) -> None:
        self.unrun += self.claim(who, handlers, limit)

    @precondition(has_in_hand)
    @rule(who=WHO)
    def take_over(self, who: str) -> None:
        """Let the leases end, and claim what is due then."""
        self.pass_time(1)
        self.unrun += self.claim(who, HANDLERS, 6)

    @precondition(has_work)
    @rule(who=WHO, number=NUMBER, how=HOW)
    def run(self, who: str, number: int, how: str) -> None:
        """Run a handler until there is something to commit, also for a claim that is lost."""
        if not self.unrun:
            self.take(who, HANDLERS, 3)
        each = pick(self.lost if self.lost and number % 3 == 0 else self.unrun, number)
        self.unrun.remove(each)
        waits_again = each.claim.waiting_since and number % 2
        self.prepare(each, "not yet at once" if waits_again else how)

    @precondition(lambda self: self.lost)
    @rule(number=NUMBER, how=st.sampled_from(["fail", "fail", "fail at once", "not yet", "give up", "ok"]))
    def come_too_late(self, number: int, how: str) -> None:
        """Run a claim that is lost, and commit."""
        each = pick(self.lost, number)
        self.unrun.remove(each)
        self.prepare(each, how)
        if each in self.prepared:
            self.prepared.remove(each)
            self.commit(each)

    @precondition(has_work)
    @rule(who=WHO, handlers=SOME, rounds=st.integers(1, 4))
    def keep_failing(self, who: str, handlers: Sequence[ModelHandler], rounds: int) -> None:
        for _ in range(rounds):
            self.pass_time(3)
            for each in self.claim(who, handlers, 3):
                self.prepare(each, "fail")
                if each in self.prepared:
                    self.prepared.remove(each)
                    self.commit(each)

    @precondition(has_work)
    @rule(who=WHO, number=NUMBER, how=HOW)
    def deliver(self, who: str, number: int, how: str) -> None:
        """Run a handler and commit at once, this or what was prepared before."""
        self.run(who, number, how)
        if self.prepared:
            self.commit_one(number)

    @precondition(lambda self: self.prepared)
    @rule(number=NUMBER)
    def commit_one(self, number: int) -> None:
        each = self.prepared.pop(-1 - number % len(self.prepared))
        self.commit(each)

    @precondition(has_work)
    @rule(who=WHO, number=NUMBER, how=HOW)
    def run_alike(self, who: str, number: int, how: str) -> None:
        """Run all that a dispatcher has of one handler, one of them badly now and then, and commit it together."""
        if not self.unrun:
            self.take(who, HANDLERS, 6)
        first = pick(self.unrun, number)
        for each in [each for each in self.unrun if each.is_alike(first)]:
            if each in self.unrun:
                self.unrun.remove(each)
                self.prepare(each, how if each is first and number % 3 == 0 else "ok")
        if self.prepared:
            self.commit_some(0)

    @precondition(lambda self: self.prepared)
    @rule(number=NUMBER)
    def commit_some(self, number: int) -> None:
        """Commit together what a dispatcher has prepared of one handler."""
        first = self.prepared[-1 - number % len(self.prepared)]
        self.commit_together([each for each in self.prepared if each.is_alike(first)])

    @precondition(has_in_hand)
    @rule(number=NUMBER, fate=st.sampled_from(["dead", "dead and buried", "silent"]))
    def lose(self, number: int, fate: str) -> None:
        """Take what a dispatcher held; it is dead, or only thought to be. Or nobody notices that it is dead."""
        who = pick(self.in_hand, number).expected.dispatcher
        if fate.startswith("dead"):
            self.crash(who)
        if fate != "dead":
            held = self.model.held_by(who)
            assert claiming.release(dispatcher=DISPATCHERS[who]) == len(held)
            self.model.release(held, unrun=False)

    @precondition(has_in_hand)
    @rule(number=NUMBER)
    def renew(self, number: int) -> None:
        who = pick(self.in_hand, number).expected.dispatcher
        mine = [each for each in self.in_hand if each.expected.dispatcher == who][number % 2 :]
        ids = [each.claim.delivery_id for each in mine]
        claiming.renew(dispatcher=DISPATCHERS[who], delivery_ids=ids, lease=LEASE_TIME)
        deliveries = {each.expected.delivery for each in mine}
        self.model.renew([each for each in self.model.held_by(who) if each in deliveries])

    @precondition(lambda self: self.unrun)
    @rule(number=NUMBER)
    def release(self, number: int) -> None:
        """Stop a dispatcher that has not run some of its claims."""
        who = pick(self.unrun, number).expected.dispatcher
        # What it lost and claimed anew is to be released once.
        mine = [each for each in self.unrun if each.expected.dispatcher == who and not each.is_claimed_anew]
        current = {each.expected.delivery for each in mine if each.expected.is_current}
        released = claiming.release(dispatcher=DISPATCHERS[who], unrun=[each.claim for each in mine])
        assert released == len(current)
        self.model.release(current, unrun=True)
        self.unrun = [each for each in self.unrun if each not in mine]

    @precondition(lambda self: not has_work(self) or has_in_hand(self))
    @rule(hours=st.sampled_from([1, 1, 2, 3]))
    def wait(self, hours: int) -> None:
        self.pass_time(hours)
