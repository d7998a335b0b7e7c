"""One request of an exchange: what the chain is asked for it, if anything, and what is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from devnet.faults import lies
from devnet.faults.lies import Scene
from devnet.faults.plan import Fault
from devnet.faults.stale import View
from devnet.faults.upstream import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A request on its way. Without a question the chain never hears of it; an answer that is ready is told whatever it says."""

    request: Json
    scenes: Sequence[Scene]
    view: View | None
    question: Json | None
    ready: Json | None

    @property
    def is_missing(self) -> bool:
        """Whether its answer is left out."""
        return any(scene.rule.fault is Fault.ITEM_MISSING for scene in self.scenes)

    def told(self, found: Json) -> Json:
        """What the client is told when the chain has found this."""
        if self.ready is not None:
            return self.ready
        answer = found if self.view is None else self.view.told(self.request, found)
        for scene in self.scenes:
            answer = lies.told(scene, answer)
        return answer


def prepared(request: Json, scenes: Sequence[Scene], view: View | None) -> Item:
    """An item, ready to be asked."""
    for scene in scenes:
        if (lie := lies.instead(scene)) is not None:
            question = request if scene.rule.is_forwarding else None
            return Item(request=request, scenes=scenes, view=view, question=question, ready=lie)
    question, ready = _seen_from(view, _asked(request, scenes))
    return Item(request=request, scenes=scenes, view=view, question=question, ready=ready)


def _asked(request: Json, scenes: Sequence[Scene]) -> Json:
    for scene in scenes:
        request = lies.asked(scene, request)
    return request


def _seen_from(view: View | None, request: Json) -> tuple[Json | None, Json | None]:
    if view is None:
        return request, None
    ready = view.instead(request)
    return (view.asked(request), None) if ready is None else (None, ready)
