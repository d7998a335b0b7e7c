"""The OpenAPI document, written from the resources themselves: no operation says by hand what it takes and answers."""

import inspect
from functools import cache
from typing import Any

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers

from trading.api.forms import Form, Query
from vanta_site import problems
from vanta_site.api.examples import EXAMPLES

Json = dict[str, Any]

# What can go wrong with any call, with a row's path, with a query, with a body, with an act.
_ALWAYS = (401, 403, 406, 429, 503)
_OF_A_ROW, _OF_A_QUERY, _OF_A_BODY, _OF_AN_ACT = (404,), (422,), (400, 413, 415, 422), (409,)


class Problem(serializers.Serializer[Any]):
    """RFC 9457, with our stable `code`."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable: what a program decides by.")
    message = serializers.CharField()
    field = serializers.CharField(required=False, help_text="What is wrong, if it is one field.")
    position = serializers.IntegerField(required=False, help_text="Where a body stopped being JSON.")


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # it registers itself
    """The API's tokens."""

    target_class = "trading.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, _: AutoSchema) -> Json:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "vanta_<public id>_<secret>"}


class LoginScheme(SessionScheme):  # type: ignore[no-untyped-call]  # it registers itself
    """The console's login."""

    target_class = "trading.api.authentication.LoginAuthentication"
    name = "login"


class ResourceSchema(AutoSchema):
    """Reads a `Resource` instead of guessing."""

    view: Any

    def get_summary(self) -> str | None:
        """The first sentence of what the method does there."""
        return str(self.get_description()).split("\n")[0]

    def get_description(self) -> str:  # type: ignore[override]  # as the library has it
        """An act's own words; of what is read, those of its document."""
        said = type(self.view) if self._is_act else self.view.shape
        return str(inspect.getdoc(said))

    def get_serializer_name(self, serializer: Any, _: Any) -> str:
        """A shape's own word: `Signal`, not `SignalShape`."""
        return type(serializer).__name__.removesuffix("Shape")

    def get_tags(self) -> list[str]:
        """The first word of the path."""
        return [self.path.split("/")[2]]

    def get_operation_id(self) -> str:
        """Path and method: `signals_get`, `signals_id_get`, `positions_id_close_post`."""
        words = [part.strip("{}") for part in self.path.split("/")[2:] if part]
        return "_".join([*words, self.method.lower()]).replace("-", "_")

    def get_request_serializer(self) -> Any:
        """An act's form."""
        return self.view.form if self._is_act else None

    def get_response_serializers(self) -> Any:
        """What is answered when it goes well."""
        if self._is_act:
            shape, status = self.view.answer or self.view.shape, self.view.status
            return {200: shape, status: shape} if self.view.is_keyed or status == 202 else {status: shape}
        return {200: _page(self.view.shape) if self._is_page else self.view.shape}

    def get_override_parameters(self) -> list[Any]:
        """What a list is narrowed by, and the caller's own name for a request."""
        if self._is_act:
            return [_KEY] if self.view.is_keyed else []
        return [self.view.query] if self._is_page or self.view.names_an_account else []

    def get_examples(self) -> list[OpenApiExample]:
        """A body as people send it."""
        said = EXAMPLES.get(type(self.view).__name__) if self._is_act else None
        return [OpenApiExample("example", value=said, request_only=True)] if said is not None else []

    @property
    def _is_act(self) -> bool:
        return self.method in ("POST", "PUT")

    @property
    def _is_page(self) -> bool:
        return getattr(self.view, "action", "") == "list"

    def _is_list_view(self, _: Any = None) -> bool:
        return False

    def _resolve_path_parameters(self, variables: list[str]) -> list[Json]:
        number = {"type": "integer", "format": "int64", "minimum": 1, "maximum": 10**18 - 1}
        return [{"name": name, "in": "path", "required": True, "schema": number} for name in variables]

    def _get_response_bodies(self, direction: Any = "response") -> Json:
        bodies: Json = super()._get_response_bodies(direction)
        return bodies | {str(status): self._problem(status) for status in self._failures()}

    def _failures(self) -> list[int]:
        own = _OF_A_QUERY + (_OF_A_ROW if "{" in self.path or self.view.names_an_account else ())
        of_acts = _OF_AN_ACT if self.method != "GET" else ()
        return sorted({*_ALWAYS, *own, *of_acts, *(_OF_A_BODY if self._is_act else ())})

    def _problem(self, status: int) -> Json:
        component = self.resolve_serializer(Problem, "response")
        content = {problems.CONTENT_TYPE: {"schema": component.ref}}
        return {"description": problems.MEANINGS[status], "content": content}

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:  # noqa: FBT001, FBT002 - the framework's own
        own = getattr(field, "json_schema", None)
        if own is None:
            return super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        return {**own, **self._get_serializer_field_meta(field, direction)}  # type: ignore[no-untyped-call]

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> Any:  # noqa: FBT001, FBT002 - the framework's own
        schema = super()._map_serializer(serializer, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        is_closed = isinstance(serializer, Form) and not isinstance(serializer, Query)
        return schema | ({"additionalProperties": False} if is_closed else {})


_KEY = OpenApiParameter(
    name="Idempotency-Key",
    location=OpenApiParameter.HEADER,
    required=True,
    type={"type": "string", "pattern": "^[\\x21-\\x7e]{1,128}$", "minLength": 1, "maxLength": 128},
    description="The caller's own name for this request: sent again, it does nothing more.",
)


@cache
def _page(shape: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """A page of a list."""
    fields = {
        "results": shape(many=True),
        "next": serializers.CharField(allow_null=True, help_text="The next page's cursor; null: this was the last."),
    }
    page: type[serializers.Serializer[Any]] = type(
        f"{shape.__name__.removesuffix('Shape')}Page", (serializers.Serializer,), fields
    )
    return page
