"""The execution mode with every voice in it, the emergency stop, and the desk's switches."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading import conf
from trading.api import forms
from trading.api.fields import Flag, Line, Typed, Word
from trading.api.forms import REASON, Form, Query
from trading.api.shapes import Document
from trading.api.views import Needed, Resource, Wish
from trading.domain import people as roles
from trading.domain.form import FormError
from trading.domain.mode import Mode
from trading.domain.people import Act
from trading.services import mode
from trading.services.mode import DeskSwitch
from vanta_site import standing
from vanta_site.standing import Standing

_MODES = [str(each) for each in Mode]


class ModeShape(Document):
    """What holds now, and why; what people want; and the desk's switches."""

    mode = serializers.ChoiceField(choices=_MODES, source="holds.mode", help_text="What holds.")
    emergency_stop = serializers.BooleanField(source="holds.emergency_stop")
    reasons = serializers.ListField(child=serializers.CharField(), source="holds.reasons")
    configured = serializers.ChoiceField(choices=_MODES, source="state.configured", help_text="What people want.")
    wished_by = serializers.CharField(source="state.wished_by")
    confirmed_by = serializers.CharField(source="state.confirmed_by")
    waits_for_second_person = serializers.BooleanField()
    ceiling = serializers.ChoiceField(choices=_MODES, source="ceiling.mode", help_text="What the environment allows.")
    copy_ceiling = serializers.ChoiceField(choices=_MODES, source="copy_ceiling.mode")
    redis_health_streak = serializers.IntegerField(source="streak")
    consecutive_ok_required = serializers.IntegerField(source="streak_needed")
    signals_enabled = serializers.BooleanField(source="state.signals_enabled")
    maintenance = serializers.BooleanField(source="state.maintenance")
    automation_paused = serializers.BooleanField(source="state.automation_paused")


class ModeNow(Resource):
    """The mode that holds. Everybody may look."""

    shape = ModeShape

    def look_now(self, request: Request) -> Response:
        """One look at the switch and the database."""
        roles.check(self.caller.person, self.look)
        forms.read(Query, request.query_params)
        return Response(self.shape(standing.read()).data)


class DeskAct(ModeNow):
    """What is done to the desk as a whole; the answer is how it stands then."""

    act: ClassVar[Act]

    def needs(self, _: Wish) -> Needed:
        """What it takes."""
        return Needed(act=self.act)

    def do(self, wish: Wish) -> Standing:
        """Do it, and look again."""
        self.turn(wish)
        return standing.read()

    def turn(self, wish: Wish) -> None:
        """The one call of a service."""
        raise NotImplementedError


class ModeForm(Form):
    """Which mode, and why; LIVE is typed out a second time."""

    mode = Word(Mode)
    confirmation = Typed("LIVE", required=False, help_text="For LIVE: money may move.")
    reason = Line(max_length=REASON)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """LIVE with its confirmation.

        Raises:
            FormError: without.
        """
        if attrs["mode"] is Mode.LIVE and "confirmation" not in attrs:
            raise FormError("type LIVE: money may move", field="confirmation", code="FIELD_MISSING")
        return attrs


class Switching(DeskAct):
    """Say which mode is wanted. It holds only if the environment, the switch and every stop agree."""

    form = ModeForm
    is_exit = True

    def needs(self, wish: Wish) -> Needed:
        """DRY is caution, LIVE is money."""
        return Needed(act=Act.GO_DRY if wish.said["mode"] is Mode.DRY else Act.GO_LIVE)

    def turn(self, wish: Wish) -> None:
        """Keep the wish, and tell the switch."""
        mode.switch_to(mode=wish.said["mode"], switch=conf.mode_switch(), actor=wish.person.name, reason=wish.reason, at=wish.at)


class ConfirmationForm(Form):
    """A second person's word."""

    confirmation = Typed("LIVE", help_text="Money may move.")
    reason = Line(max_length=REASON)


class Confirming(DeskAct):
    """Agree, as somebody else, to a wish for LIVE."""

    form = ConfirmationForm
    act = Act.GO_LIVE

    def turn(self, wish: Wish) -> None:
        """Keep the agreement."""
        mode.confirm_live(by=wish.person, switch=conf.mode_switch(), reason=wish.reason, at=wish.at)


class StopForm(Form):
    """Nothing stands between a person and the stop, not even a reason."""

    reason = Line(max_length=REASON, required=False)


class Stopping(DeskAct):
    """Raise the emergency stop: nothing new is signed from now on."""

    form = StopForm
    act = Act.STOP
    is_exit = True

    def turn(self, wish: Wish) -> None:
        """Stop everything."""
        reason = wish.reason or "stopped by a program"
        mode.stop_everything(switch=conf.mode_switch(), actor=wish.person.name, origin="api", reason=reason, at=wish.at)


class LiftingTheStop(DeskAct):
    """Lift the emergency stop."""

    act = Act.LIFT_STOP

    def turn(self, wish: Wish) -> None:
        """Lift it."""
        mode.lift_stop(switch=conf.mode_switch(), actor=wish.person.name, reason=wish.reason, at=wish.at)


class SwitchForm(Form):
    """One of the desk's switches, where to, and why."""

    name = Word(DeskSwitch)
    is_on = Flag()
    reason = Line(max_length=REASON)


class Turning(DeskAct):
    """Turn one of the desk's other switches: entries, maintenance, automation."""

    form = SwitchForm
    act = Act.MAINTAIN
    is_exit = True

    def turn(self, wish: Wish) -> None:
        """Turn it."""
        mode.set_desk(name=wish.said["name"], is_on=wish.said["is_on"], actor=wish.person.name, reason=wish.reason, at=wish.at)
