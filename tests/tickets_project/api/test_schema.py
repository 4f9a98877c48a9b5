"""The OpenAPI document and its page."""

import json
import re
from contextlib import closing
from typing import Any

import pytest
from django.test import RequestFactory
from drf_spectacular.views import SpectacularAPIView
from rest_framework.test import APIClient

HOOKS = ["drf_spectacular.hooks.postprocess_schema_enums", "tickets_project.api.schema.add_problems"]


@pytest.fixture
def document() -> Any:
    view = SpectacularAPIView.as_view(custom_settings={"POSTPROCESSING_HOOKS": HOOKS}, permission_classes=())
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

    def test_is_made_without_a_warning_of_ours(self, document: Any, capsys: pytest.CaptureFixture[str]) -> None:
        assert document
        assert not re.search("Login|Logout|Money|Bearer|Pagination", capsys.readouterr().err)

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
