"""What isn't there, under the API: a problem document like every other."""

from http import HTTPStatus

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from vanta_site.problems import CONTENT_TYPE, NOT_FOUND, document


@csrf_exempt
def nothing(_: HttpRequest, **__: str) -> JsonResponse:
    """404, whatever was asked, by whichever method; the path isn't repeated."""
    problem = document(status=HTTPStatus.NOT_FOUND, code=NOT_FOUND, detail="there is nothing here")
    return JsonResponse(problem, status=HTTPStatus.NOT_FOUND, content_type=CONTENT_TYPE)
