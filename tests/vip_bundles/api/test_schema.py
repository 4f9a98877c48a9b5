"""What the OpenAPI document says of bundles."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from vip_bundles.facts import State

pytestmark = pytest.mark.django_db

ROUTES = {
    "/api/v1/vip-bundles/": {"get": "vip_bundles_list", "post": "make_vip_bundle"},
    "/api/v1/vip-bundles/{vip_bundle_id}/": {"get": "vip_bundles_retrieve"},
    "/api/v1/vip-bundles/{vip_bundle_id}/retry/": {"post": "retry_vip_bundle"},
    "/api/v1/vip-bundles/{vip_bundle_id}/rollback/": {"post": "roll_back_vip_bundle"},
}


@pytest.fixture
def document(nobody: APIClient) -> Any:
    return nobody.get("/api/v1/schema/", headers={"accept": "application/json"}).json()


def properties(document: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][name]["properties"]
    return found


class TestSchema:
    def test_has_the_routes_of_bundles(self, document: Any) -> None:
        found = {path: document["paths"][path] for path in document["paths"] if "vip-bundles" in path}
        named = {
            path: {method: said["operationId"] for method, said in methods.items()} for path, methods in found.items()
        }
        assert named == ROUTES

    def test_names_the_filters(self, document: Any) -> None:
        listing = document["paths"]["/api/v1/vip-bundles/"]["get"]
        names = {parameter["name"] for parameter in listing["parameters"]}
        assert names == {"state", "from", "to", "stuck", "cursor", "page_size"}

    def test_names_the_key_of_each_post(self, document: Any) -> None:
        for path, methods in ROUTES.items():
            for parameters in (document["paths"][path]["post"]["parameters"] for method in methods if method == "post"):
                assert "Idempotency-Key" in {parameter["name"] for parameter in parameters}

    def test_names_the_states(self, document: Any) -> None:
        assert document["components"]["schemas"]["StateEnum"]["enum"] == [state.value for state in State]

    def test_tells_the_limits_of_what_is_asked_for(self, document: Any) -> None:
        asked = properties(document, "NewBundleRequest")
        assert (asked["number_of_tickets"]["minimum"], asked["number_of_tickets"]["maximum"]) == (1, 50)
        assert asked["passengers"]["items"]["maxLength"] == 100
        required = {"show_id", "number_of_tickets", "passengers", "inbound_flight_id"}
        assert set(document["components"]["schemas"]["NewBundleRequest"]["required"]) == required

    def test_has_the_timeline_of_one_bundle_alone(self, document: Any) -> None:
        assert properties(document, "WholeBundle").keys() - properties(document, "Bundle").keys() == {"timeline"}

    def test_says_what_is_for_staff(self, document: Any) -> None:
        entry = document["components"]["schemas"]["StaffEntry"]
        assert entry["properties"].keys() - set(entry["required"]) == {"message_id", "by", "reason", "deliveries"}
