"""The OpenAPI document and its page."""

import json
import re
from contextlib import closing
from typing import Any

import pytest
from django.test import RequestFactory
from django.urls import include, path
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.test import APIClient

from tests.tickets_project.api.routes import described

HOOKS = ["drf_spectacular.hooks.postprocess_schema_enums", "tickets_project.api.schema.add_problems"]


@pytest.fixture
def document() -> Any:
    GENERATOR_STATS.reset()
    view = SpectacularAPIView.as_view(
        custom_settings={"POSTPROCESSING_HOOKS": HOOKS}, patterns=[path("api/v1/", include(described))]
    )
    response = view(RequestFactory().get("/", headers={"Accept": "application/vnd.oai.openapi+json"}))
    return json.loads(response.render().content)


@pytest.mark.django_db
class TestAddProblems:
    def test_gives_every_operation_its_refusal(self, document: Any) -> None:
        operations = [operation for path in document["paths"].values() for operation in path.values()]
        refusals = [operation["responses"]["4XX"] for operation in operations]
        assert refusals == [{"$ref": "#/components/responses/Problem"}] * len(operations)

    def test_describes_a_problem(self, document: Any) -> None:
        content = document["components"]["responses"]["Problem"]["content"]
        assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        assert set(document["components"]["schemas"]["Problem"]["required"]) >= {"type", "title", "status", "code"}


@pytest.mark.django_db
class TestDocument:
    def test_is_openapi_3_1(self, document: Any) -> None:
        assert document["openapi"] == "3.1.0"
        assert '"nullable"' not in json.dumps(document)

    def test_names_the_key_of_an_idempotent_post_and_of_no_other(self, document: Any) -> None:
        named = {
            path
            for path, item in document["paths"].items()
            for parameter in item.get("post", {}).get("parameters", ())
            if parameter["name"] == "Idempotency-Key" and parameter["in"] == "header"
        }
        assert named == {"/api/v1/groups/{name}/", "/api/v1/keyed-groups/"}

    def test_describes_the_token(self, document: Any) -> None:
        assert document["components"]["securitySchemes"]["bearerAuth"] == {"type": "http", "scheme": "bearer"}

    def test_describes_the_login(self, document: Any) -> None:
        login = document["paths"]["/api/v1/auth/login/"]["post"]
        assert login["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/CredentialsRequest")
        assert login["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Token")

    def test_is_valid_and_made_without_a_warning(self, document: Any) -> None:
        validate_schema(document)  # type: ignore[no-untyped-call] # it has no types
        assert not GENERATOR_STATS

    def test_describes_money_and_times(self, document: Any) -> None:
        schemas = document["components"]["schemas"]
        assert schemas["Everything"]["properties"]["price"] == {"$ref": "#/components/schemas/Money"}
        assert schemas["Everything"]["properties"]["starts_at"] == {"type": "string", "format": "date-time"}
        assert {name: field["type"] for name, field in schemas["Money"]["properties"].items()} == {
            "amount": "string",
            "currency": "string",
        }

    def test_describes_pages(self, document: Any) -> None:
        users = document["paths"]["/api/v1/users/"]["get"]
        assert [parameter["name"] for parameter in users["parameters"]] == ["cursor", "page_size"]
        assert document["components"]["schemas"]["PaginatedUserList"]["required"] == ["results", "next", "previous"]

    @pytest.mark.parametrize("path", ["/api/v1/schema", "/api/v1/schema/"])
    def test_is_public(self, path: str) -> None:
        response = APIClient().get(path)
        assert response.status_code == 200
        assert b"openapi: 3.1.0" in response.content


@pytest.mark.django_db
class TestPage:
    def test_takes_its_assets_from_us(self) -> None:
        page = APIClient().get("/api/v1/docs/").content.decode()
        assets = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert len(assets) >= 3
        assert all(asset.startswith("/static/drf_spectacular_sidecar/") for asset in assets)
        assert "https://" not in page
        for asset in assets:
            with closing(APIClient().get(asset)) as response:
                assert response.status_code == 200


@pytest.mark.django_db
class TestDocs:
    @pytest.mark.parametrize("method", ["options", "post", "put"])
    def test_can_only_be_read(self, method: str) -> None:
        assert getattr(APIClient(), method)("/api/v1/docs/").status_code == 405
