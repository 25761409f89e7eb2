"""A server on 127.0.0.1 that speaks the Hub's protocol, for the real client of huggingface_hub; files lie in a folder.

It knows of models and Spaces, and what publishing and downloading use: whoami, repos/create, model info, refs, preupload, validate-yaml, the LFS
batch (one PUT a file), commit (NDJSON), tree, tag, collections, and resolve with etags and ranges. Paths, headers and
answers are those that huggingface_hub 1.33 sends and reads; xet, which the Hub speaks besides, is not spoken here.
`fail` and `cut` make it answer with an error, or break off a connection after some bytes.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

LFS = (".safetensors", ".gguf", ".bin", ".pt")  # of the .gitattributes that the Hub gives a new repository
BLOCK = 2**16
TOKEN, READER = "a-token-of-ada", "a-token-that-reads"
NOW = "2026-11-26T12:00:00.000Z"


class Refused(Exception):
    """An answer that is an error: status, what the Hub says, and the code it gives in a header."""

    def __init__(self, status: int, error: str, code: str = ""):
        super().__init__(error)
        self.status, self.error, self.code = status, error, code


@dataclass
class Repository:
    """Commits, newest last, each with its files: path → (git's hash, size, SHA-256 where it is an LFS file)."""

    private: bool
    sdk: str | None = None  # of a Space
    commits: list[tuple[str, dict]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    objects: set[str] = field(default_factory=set)  # LFS files that were sent, committed or not

    def commit(self, files: dict) -> str:
        name = hashlib.sha1(f"{len(self.commits)} {sorted(files.items())}".encode()).hexdigest()
        self.commits.append((name, files))
        return name

    def at(self, revision: str) -> tuple[str, dict]:
        wanted = self.commits[-1][0] if revision == "main" else self.tags.get(revision, revision)
        for name, files in self.commits:
            if name == wanted:
                return name, files
        raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")


@dataclass
class Fault:
    """What goes wrong, with what, and how often."""

    method: str
    path: re.Pattern
    times: int
    status: int = 0
    error: str = ""
    after: int = 0  # bytes, where a connection breaks off


class Hub(ThreadingHTTPServer):
    """The server. `tokens`: token → (user, "write" or "read"); `log`: (method, path, status, bytes in, bytes out)."""

    daemon_threads = True

    def __init__(self, folder: Path):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.lock = folder, threading.RLock()
        self.tokens: dict[str, tuple[str, str]] = {}
        self.repositories: dict[str, Repository] = {}
        self.collections: dict[str, dict] = {}
        self.faults: list[Fault] = []
        self.log: list[tuple] = []
        self.loses: set[str] = set()  # files that a commit does not take, though it says so
        self.full = ""  # why the storage takes no large file any more
        self.pause = 0.0  # seconds a block of an upload
        self.uploading = threading.Event()  # set when the first block of an upload has come

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fail(self, method: str, path: str, status: int, error: str = "", times: int = 1) -> None:
        """Answer the next requests of this method, and path (an expression), with an error."""
        self.faults.append(Fault(method, re.compile(path), times, status, error))

    def cut(self, method: str, path: str, after: int = 0, times: int = 1) -> None:
        """Break the connection of the next such requests: uploads and downloads after so many bytes."""
        self.faults.append(Fault(method, re.compile(path), times, after=after))

    def fault(self, method: str, path: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and fault.method == method and fault.path.search(path):
                    fault.times -= 1
                    return fault
        return None

    def asked(self, method: str, path: str) -> list[tuple]:
        """The log's entries of this method and path (an expression)."""
        with self.lock:
            return [entry for entry in self.log if entry[0] == method and re.search(path, entry[1])]

    def blob(self, name: str) -> Path:
        return self.folder / name

    def handle_error(self, request, client_address) -> None:
        """Connections that break are what it is for; nothing is printed."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *_) -> None:
        """The tests read `Hub.log`."""

    def handle_one_request(self) -> None:
        self.got = self.sent = self.status = 0
        self.logged = False
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PUT = do_GET

    def _answer(self) -> None:
        split = urlsplit(self.path)
        path, self.query = unquote(split.path), parse_qs(split.query)
        self.broken = self.server.fault(self.command, path)
        try:
            if self.broken and not self.broken.status and self.command not in ("PUT", "GET"):
                self._break()
            if self.command != "PUT" or (self.broken and self.broken.status):
                self.body = b"".join(self._blocks())
            if self.broken and self.broken.status:
                raise Refused(self.broken.status, self.broken.error)
            self._route(path)
        except Refused as refused:
            code = {"X-Error-Code": refused.code} if refused.code else {}
            self._json({"error": refused.error}, refused.status, {"X-Error-Message": refused.error, **code})
        finally:
            self._log()  # of a client that went away

    def _log(self) -> None:
        """Before the client can know how it went: a test that has its answer finds the request in the log."""
        if self.logged:
            return
        self.logged = True
        with self.server.lock:
            path = unquote(urlsplit(self.path).path)
            self.server.log.append((self.command, path, self.status, self.got, self.sent))

    def _route(self, path: str) -> None:
        path = re.sub("^/api/spaces/", "/api/models/spaces/", path)  # a Space is kept as "spaces/owner/name"
        for method, pattern, answer in ROUTES:
            if self.command in method.split("|") and (found := re.fullmatch(pattern, path)):
                answer(self, **found.groupdict())
                return
        raise Refused(404, f"This server does not know {self.command} {path}")

    def _blocks(self) -> Iterator[bytes]:
        """The body of the request; an upload may be slow, or break off."""
        upload = self.command == "PUT"
        left = int(self.headers.get("Content-Length") or 0)
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                yield self._took(self.rfile.read(size), upload)
                self.rfile.readline()
            self.rfile.readline()
        while left > 0:
            block = self.rfile.read(min(BLOCK, left))
            if not block:
                raise ConnectionResetError
            left -= len(block)
            yield self._took(block, upload)

    def _took(self, block: bytes, upload: bool) -> bytes:
        self.got += len(block)
        if upload:
            self.server.uploading.set()
            time.sleep(self.server.pause)
            if self.broken and not self.broken.status and self.got >= self.broken.after:
                self._break()
        return block

    def _break(self) -> None:
        self.close_connection = True
        self._log()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError

    def _json(self, content: object, status: int = 200, headers: dict | None = None) -> None:
        self._send(status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(content).encode())

    def _send(self, status: int, headers: dict, body: bytes) -> None:
        self.status = status
        self.send_response(status)
        for name, value in {**headers, "Content-Length": headers.get("Content-Length", len(body))}.items():
            self.send_header(name, str(value))
        body = b"" if self.command == "HEAD" else body
        if not body:
            self._log()
        self.end_headers()
        broken = self.broken if self.command == "GET" and self.broken and not self.broken.status else None
        for start in range(0, len(body), BLOCK):
            if broken and self.sent >= broken.after:
                self._break()
            block = body[start : start + BLOCK]
            self.sent += len(block)
            if self.sent == len(body):
                self._log()
            self.wfile.write(block)

    def _user(self) -> tuple[str, str] | None:
        """(user, kind) of the request's token; None without one. Raises Refused for a token that is none."""
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token and token not in self.server.tokens:
            raise Refused(401, "Invalid credentials in Authorization header")
        return self.server.tokens.get(token)

    def _repository(self, repo: str, write: bool = False) -> Repository:
        user, found = self._user(), self.server.repositories.get(repo)
        mine = user is not None and user[0] == repo.split("/")[-2]
        if found is None or (found.private and not mine):
            raise Refused(404 if user else 401, "Repository not found", "RepoNotFound")
        if write and not (mine and user[1] == "write"):
            raise Refused(403, "You need write access to this repository")
        return found

    def whoami(self) -> None:
        user = self._user()
        if user is None:
            raise Refused(401, "Invalid username or password.")
        self._json({"type": "user", "name": user[0], "auth": {"accessToken": {"role": user[1]}}})

    def create(self) -> None:
        wanted, user = json.loads(self.body), self._user()
        if user is None:
            raise Refused(401, "Invalid username or password.")
        owner = wanted.get("organization") or user[0]
        kind, sdk = wanted.get("type") or "model", wanted.get("sdk")
        repo = f"{'spaces/' * (kind == 'space')}{owner}/{wanted['name']}"
        if user[1] != "write" or owner != user[0]:
            raise Refused(403, f'You don\'t have the rights to create a {kind} under the namespace "{owner}"')
        if kind == "space" and not sdk:
            raise Refused(400, "A Space needs an SDK")
        with self.server.lock:
            if repo in self.server.repositories:
                raise Refused(409, f"You already created this {kind} repo")
            new = self.server.repositories[repo] = Repository(wanted.get("visibility", "public") == "private", sdk)
            text = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LFS).encode()
            new.commit({".gitattributes": self._keep(text)})
        self._json({"url": f"{self.server.url}/{repo}", "name": repo, "id": repo})

    def info(self, repo: str, revision: str | None = None) -> None:
        found = self._repository(repo)
        name, files = found.at(revision or "main")
        siblings = [{"rfilename": path} for path in sorted(files)]
        self._json(
            {"id": repo, "modelId": repo, "sha": name, "private": found.private, "siblings": siblings, "tags": []}
        )

    def refs(self, repo: str) -> None:
        found = self._repository(repo)
        main = [{"name": "main", "ref": "refs/heads/main", "targetCommit": found.at("main")[0]}]
        tags = [{"name": t, "ref": f"refs/tags/{t}", "targetCommit": c} for t, c in found.tags.items()]
        self._json({"branches": main, "tags": tags, "converts": []})

    def preupload(self, repo: str, revision: str) -> None:
        _, files = self._repository(repo, write=True).at(revision)
        answer = []
        for file in json.loads(self.body)["files"]:
            there = files.get(file["path"], (None, 0, None))
            large = file["path"].endswith(LFS) or file["size"] > 10 * 2**20
            answer.append({"path": file["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False,
                           "oid": there[2] or there[0]})  # fmt: skip
        self._json({"files": answer})

    def validate(self) -> None:
        errors, head = [], re.match(r"---\n(.*?)\n---", json.loads(self.body)["content"], re.S)
        try:
            about = yaml.safe_load(head[1]) if head else {}
            if not re.fullmatch(r"[a-z0-9.-]+", str(about.get("license", "mit"))):
                errors.append({"message": '"license" must be one of [apache-2.0, mit, other, …]'})
        except (AttributeError, yaml.YAMLError) as error:
            errors.append({"message": str(error)})
        warned = [] if head else [{"message": "empty or missing yaml metadata in repo card"}]
        self._json({"errors": errors, "warnings": warned}, 400 if errors else 200)

    def batch(self, repo: str) -> None:
        found = self._repository(repo, write=True)
        answer = []
        for wanted in json.loads(self.body)["objects"]:
            there = wanted["oid"] in found.objects  # then no action: the client sends nothing
            href = f"{self.server.url}/lfs/{repo}/{wanted['oid']}"
            actions = {} if there else {"actions": {"upload": {"href": href, "header": {}}}}
            if self.server.full:
                actions = {"error": {"code": 403, "message": self.server.full}}
            answer.append({"oid": wanted["oid"], "size": wanted["size"], **actions})
        self._json({"transfer": "basic", "objects": answer})

    def put(self, repo: str, oid: str) -> None:
        """No token: the Hub signs the address. What does not come whole, or is another file, is not kept."""
        digest, part = hashlib.sha256(), self.server.blob(f"{oid}.{threading.get_ident()}")
        with part.open("wb") as stream:
            for block in self._blocks():
                digest.update(block)
                stream.write(block)
        if digest.hexdigest() != oid:
            raise Refused(400, "The content does not have this SHA-256")
        part.replace(self.server.blob(oid))
        with self.server.lock:
            self.server.repositories[repo].objects.add(oid)
        self._send(200, {"ETag": f'"{oid}"'}, b"")

    def commit(self, repo: str, revision: str) -> None:
        found = self._repository(repo, write=True)
        with self.server.lock:
            head, files = found.at(revision)
            files = dict(files)
            for line in map(json.loads, self.body.splitlines()):
                about = line["value"]
                if line["key"] == "header" and about.get("parentCommit", head) != head:
                    raise Refused(412, "A commit has happened since. Please refresh and try again.")
                if line["key"] == "file":
                    files[about["path"]] = self._keep(base64.b64decode(about["content"]))
                if line["key"] == "lfsFile":
                    if about["oid"] not in found.objects:
                        raise Refused(400, f"LFS object {about['oid']} was not uploaded")
                    pointer = (
                        f"version https://git-lfs.github.com/spec/v1\noid sha256:{about['oid']}\nsize {about['size']}\n"
                    )
                    files[about["path"]] = (_git_hash(pointer.encode()), about["size"], about["oid"])
                if line["key"] == "deletedFile":
                    del files[about["path"]]
            name = found.commit({path: file for path, file in files.items() if path not in self.server.loses})
        self._json({"success": True, "commitOid": name, "commitUrl": f"{self.server.url}/{repo}/commit/{name}"})

    def tree(self, repo: str, revision: str) -> None:
        _, files = self._repository(repo).at(revision)
        self._json([
            {"type": "file", "path": path, "oid": oid, "size": size,
             **({"lfs": {"oid": sha, "size": size, "pointerSize": 130}} if sha else {})}
            for path, (oid, size, sha) in sorted(files.items())
        ])  # fmt: skip

    def tag(self, repo: str, revision: str) -> None:
        found, name = self._repository(repo, write=True), json.loads(self.body)["tag"]
        if name in found.tags:
            raise Refused(409, f"Tag {name} exists already")
        found.tags[name] = found.at(revision)[0]
        self._json({})

    def collect(self) -> None:
        wanted, user = json.loads(self.body), self._user()
        if user is None or user[0] != wanted["namespace"]:
            raise Refused(403, "You cannot make a collection there")
        slug = f"{wanted['namespace']}/{re.sub(r'[^a-z0-9]+', '-', wanted['title'].lower())}-64f9a55bb3115b4f513ec026"
        if slug in self.server.collections:
            self._json({"error": "You have it already", "slug": slug}, 409)
            return
        new = {"slug": slug, "title": wanted["title"], "owner": wanted["namespace"], "items": [], "lastUpdated": NOW,
               "position": 0, "private": wanted.get("private", False), "theme": "blue", "upvotes": 0}  # fmt: skip
        self.server.collections[slug] = new
        self._json(new)

    def collection(self, slug: str) -> None:
        self._json(self.server.collections[slug])

    def add(self, slug: str) -> None:
        item, found = json.loads(self.body)["item"], self.server.collections[slug]
        if any(there["id"] == item["id"] for there in found["items"]):
            raise Refused(409, "It is in the collection")
        found["items"].append({"_id": str(len(found["items"])), "position": len(found["items"]), **item})
        self._json(found)

    def resolve(self, repo: str, revision: str, path: str) -> None:
        name, files = self._repository(repo).at(revision)
        if path not in files:
            raise Refused(404, "Entry not found", "EntryNotFound")
        oid, size, sha = files[path]
        body = self.server.blob(sha or oid).read_bytes()
        headers = {"X-Repo-Commit": name, "ETag": f'"{sha or oid}"', "Accept-Ranges": "bytes", "Content-Length": size,
                   "Content-Type": "application/octet-stream"}  # fmt: skip
        if sha:
            headers |= {"X-Linked-Etag": f'"{sha}"', "X-Linked-Size": size}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if not asked:
            self._send(200, headers, body)
            return
        start, end = int(asked[1]), int(asked[2] or size - 1)
        part = body[start : end + 1]
        headers |= {"Content-Range": f"bytes {start}-{end}/{size}", "Content-Length": len(part)}
        self._send(206, headers, part)

    def _keep(self, content: bytes) -> tuple[str, int, None]:
        oid = _git_hash(content)
        self.server.blob(oid).write_bytes(content)
        return oid, len(content), None


def _git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


REPO, REVISION = r"(?P<repo>(?:spaces/)?[^/]+/[^/]+)", r"(?P<revision>[^/]+)"
ROUTES = [
    ("GET", "/api/whoami-v2", Handler.whoami),
    ("POST", "/api/repos/create", Handler.create),
    ("POST", "/api/validate-yaml", Handler.validate),
    ("POST", "/api/collections", Handler.collect),
    ("POST", r"/api/collections/(?P<slug>[^/]+/[^/]+)/items", Handler.add),
    ("GET", r"/api/collections/(?P<slug>[^/]+/[^/]+)", Handler.collection),
    ("GET", f"/api/models/{REPO}", Handler.info),
    ("GET", f"/api/models/{REPO}/refs", Handler.refs),
    ("GET", f"/api/models/{REPO}/revision/{REVISION}", Handler.info),
    ("GET", f"/api/models/{REPO}/tree/{REVISION}", Handler.tree),
    ("POST", f"/api/models/{REPO}/preupload/{REVISION}", Handler.preupload),
    ("POST", f"/api/models/{REPO}/commit/{REVISION}", Handler.commit),
    ("POST", f"/api/models/{REPO}/tag/{REVISION}", Handler.tag),
    ("POST", rf"/{REPO}\.git/info/lfs/objects/batch", Handler.batch),
    ("PUT", f"/lfs/{REPO}/(?P<oid>[0-9a-f]{{64}})", Handler.put),
    ("GET|HEAD", f"/{REPO}/resolve/{REVISION}/(?P<path>.+)", Handler.resolve),
]


@contextlib.contextmanager
def hub_server(folder: Path) -> Iterator[Hub]:
    """A running server that keeps its files in `folder`."""
    hub = Hub(folder)
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


def environment(hub: Hub, home: Path) -> dict[str, str]:
    """Of a process that knows the server as a stranger's would: by HF_ENDPOINT."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    root = str(Path(__file__).parents[2])
    return kept | {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(home / "home"),
                   "PYTHONPATH": root, "HF_HUB_DISABLE_PROGRESS_BARS": "1"}  # fmt: skip
