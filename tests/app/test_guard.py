"""Requests from other sites, under other names, and without the token."""

import asyncio
import json

import httpx
import pytest
import websockets

from ecgbeat.app import serve

FOREIGN = ["http://evil.example", "null", "http://localhost", "http://127.0.0.1:1", "file://", ""]


def port_of(address):
    return address.rpartition(":")[2]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_names_of_the_loopback_interface_are_answered(client, server, name):
    answer = client.get("/", headers={"host": f"{name}:{port_of(server)}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:PORT", "localhost", "localhost:1", "127.0.0.1.nip.io:PORT"],
)
def test_other_hosts_are_refused(client, server, host):
    for path in ("/", "/api/models", "/static/x", "/openapi.json"):
        answer = client.get(path, headers={"host": host.replace("PORT", port_of(server))})
        assert answer.status_code == 403
        assert "error" in answer.json()


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("path", ["/api/annotate", "/api/beat", "/page/compare", "/page/report"])
def test_posts_from_other_sites_are_refused(client, origin, path):
    answer = client.post(path, json={}, headers={"origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_preflight_of_another_site_allows_nothing(client):
    headers = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    answer = client.options("/api/annotate", headers=headers)
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_own_origin_is_answered(client, server):
    answer = client.post("/api/beat", json={"signal": [0.5] * 187}, headers={"origin": server})
    assert answer.status_code == 200


async def first_message(address, **params):
    async with websockets.connect(
        address.replace("http", "ws") + "/api/live", proxy=None, **params
    ) as connection:
        await connection.send(json.dumps({"source": "wrong"}))
        return json.loads(await connection.recv())


@pytest.mark.parametrize("origin", FOREIGN[:-1])
def test_websocket_from_another_site_is_refused(server, origin):
    with pytest.raises(websockets.InvalidStatus) as raised:
        asyncio.run(first_message(server, origin=origin))
    assert raised.value.response.status_code == 403


def test_websocket_from_the_own_page_is_accepted(server):
    assert "source" in asyncio.run(first_message(server, origin=server))["error"]


def test_token_is_required_by_header_or_cookie(start_server):
    with start_server(host="0.0.0.0", token="secret") as address:
        with httpx.Client(base_url=address, trust_env=False) as client:
            for headers in ({}, {"authorization": "Bearer x"}, {"cookie": "ecgbeat=secret"}):
                assert client.get("/api/models", headers=headers).status_code == 403
            assert client.get("/?token=wrong").status_code == 403
            given = {"authorization": "Bearer secret", "host": "ecg.example"}
            assert client.get("/api/models", headers=given).status_code == 200
            visit = client.get("/?token=secret")
            assert visit.status_code == 303
            assert visit.headers["location"] == "/"
            assert "HttpOnly" in visit.headers["set-cookie"]
            assert "secret" not in visit.headers["set-cookie"]
            assert client.get("/api/models").status_code == 200
        with pytest.raises(websockets.InvalidStatus):
            asyncio.run(first_message(address))
        given = {"authorization": "Bearer secret"}
        assert "error" in asyncio.run(first_message(address, additional_headers=given))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
@pytest.mark.parametrize("token", [None, ""])
def test_serving_others_requires_a_token(host, token):
    with pytest.raises(ValueError, match="token"):
        serve(host=host, token=token, open_browser=False)
