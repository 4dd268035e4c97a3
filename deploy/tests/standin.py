"""AWS for these tests.

ministack has CloudFormation, IAM with its permissions enforced, Lambda's configuration, Kinesis, S3, SQS
and CloudWatch. It runs no image without a container engine, and its event source mapping ignores partial
failures. So a gateway in front of it plays two parts:

- an invocation runs the worker that `make` built, as Lambda does: over its runtime API, with the function's
  variables, its role's permissions, and an empty folder to run in;
- a record that is put on a stream goes to the functions mapped to it: at once, alone, and once. If it fails
  or is reported, it grows too old at once: its place in the stream goes to the on-failure queue.

The gateway also keeps a list of the calls the worker makes.
"""

import base64
import contextlib
import http.client
import json
import os
import queue
import random
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import boto3

ROOT = Path(__file__).resolve().parents[2]
WORKER = ROOT / ".build/bin/worker"
MINISTACK = [
    ROOT / ".build/venv/bin/python",
    "-c",
    "from ministack import app; from ministack.services import lambda_svc\n"
    "lambda_svc._ensure_poller = lambda: None  # its own mapping\n"
    "app.main()",
]
LIBRARY = ROOT / ".build/lib/libonnxruntime.so"
REGION = "us-east-1"
ACCOUNT = "000000000000"
START_TIMEOUT = 30  # s; 1 s is usual
INIT_TIMEOUT = 10  # s, Lambda's for a function to start


class Standin:
    def __init__(self, folder):
        self.folder = folder
        self.calls = []  # the worker's: (action, ARN)
        self.broken = set()  # (function, run) that do not start, whatever the worker would do
        self.keys = {}  # of the users that stand for roles, by the role's name
        self.port = free_port()
        self.log = folder / "ministack.log"
        self.ministack = subprocess.Popen(
            MINISTACK,
            cwd=folder,
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "TMPDIR": str(folder),
                "GATEWAY_PORT": str(self.port),
                "BIND_HOST": "127.0.0.1",
                "MINISTACK_REGION": REGION,
                "MINISTACK_ACCOUNT_ID": ACCOUNT,
                "AUTH": "true",
                "AWS_ACCESS_KEY_ID": "test",  # the root user's
                "AWS_SECRET_ACCESS_KEY": "test",
                "IOT_MTLS_ENABLED": "0",
                "SFTP_ENABLED": "0",
                "STATE_DIR": str(folder / "state"),
                "S3_DATA_DIR": str(folder / "s3"),
                "DOCKER_HOST": f"unix://{folder}/none.sock",
            },
        )
        self.wait_until_healthy()
        self.gateway = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.gateway.daemon_threads = True
        threading.Thread(target=self.gateway.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self.gateway.server_port}"

    def wait_until_healthy(self):
        deadline = time.monotonic() + START_TIMEOUT
        tick = threading.Event()
        while True:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_ministack/health", timeout=2),
            ):
                return
            assert self.ministack.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, "ministack does not answer"
            tick.wait(0.05)

    def close(self):
        self.gateway.shutdown()
        self.ministack.terminate()
        self.ministack.wait(10)

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def environment(self):
        """What the aws command needs to talk to the stand-in."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    def invoke(self, function, event, version="$LATEST"):
        """Returns the answer, the last of the log, and whether the function failed."""
        config = self.client("lambda").get_function_configuration(FunctionName=function, Qualifier=version)
        variables = config["Environment"]["Variables"]
        if (function, variables["RUN_ID"]) in self.broken:
            return exit_error(1), b"", True
        key, secret = self.key_of(config["Role"].rpartition("/")[2])
        task = self.folder / "task"
        task.mkdir(exist_ok=True)
        given = variables | self.environment() | {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
        with RuntimeAPI(event, config) as api, tempfile.TemporaryFile() as log:
            given |= {"ONNXRUNTIME_LIB": str(LIBRARY), "AWS_LAMBDA_RUNTIME_API": api.address}
            worker = subprocess.Popen(
                [WORKER], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=task, env=given
            )
            threading.Thread(target=lambda: api.ended(worker.wait()), daemon=True).start()
            try:
                answer, failed = api.answers.get(timeout=INIT_TIMEOUT + config["Timeout"])
            finally:
                worker.terminate()
                worker.wait(10)
            log.seek(0)
            return answer, log.read()[-4096:], failed

    def key_of(self, role):
        """The key of a user who may do what the role may now: Lambda alone can assume the role itself."""
        iam = self.client("iam")
        if role not in self.keys:
            iam.create_user(UserName=role)
            key = iam.create_access_key(UserName=role)["AccessKey"]
            self.keys[role] = key["AccessKeyId"], key["SecretAccessKey"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for statement in document["Statement"]:
                if statement["Action"] == "sqs:SendMessage":  # IAM has no other for a batch, ministack has
                    statement["Action"] = ["sqs:SendMessage", "sqs:SendMessageBatch"]
            iam.put_user_policy(UserName=role, PolicyName=name, PolicyDocument=json.dumps(document))
        return self.keys[role]

    def version_of(self, function, name):
        """The version that an invocation of an alias goes to, by their weights."""
        alias = self.client("lambda").get_alias(FunctionName=function, Name=name)
        drawn = random.random()
        for version, weight in alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}).items():
            if drawn < weight:
                return version
            drawn -= weight
        return alias["FunctionVersion"]

    def hand_over(self, record, answer):
        """Plays the mapping for one record that was put."""
        arn = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{record['StreamName']}"
        shard, sequence = answer["ShardId"], answer["SequenceNumber"]
        about = {
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": sequence,
            "data": record["Data"],
            "approximateArrivalTimestamp": round(time.time(), 3),
        }
        event = {"Records": [{"kinesis": about, "eventID": f"{shard}:{sequence}", "eventSourceARN": arn}]}
        mappings = self.client("lambda").list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
        for mapping in mappings:
            function, *alias = mapping["FunctionArn"].split(":")[6:]
            version = self.version_of(function, alias[0]) if alias else "$LATEST"
            response, _, failed = self.invoke(function, json.dumps(event).encode(), version)
            if failed or json.loads(response).get("batchItemFailures"):
                place = {
                    "shardId": shard,
                    "startSequenceNumber": sequence,
                    "endSequenceNumber": sequence,
                    "batchSize": 1,
                    "streamArn": arn,
                }
                body = {"requestContext": {"condition": "RecordAgeExceeded"}, "KinesisBatchInfo": place}
                destination = mapping["DestinationConfig"]["OnFailure"]["Destination"].rpartition(":")[2]
                sqs = self.client("sqs")
                url = sqs.get_queue_url(QueueName=destination)["QueueUrl"]
                sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))


def exit_error(status):
    return json.dumps({"errorMessage": f"exit status {status}", "errorType": "Runtime.ExitError"}).encode()


def read_body(request):
    if request.headers.get("Transfer-Encoding") != "chunked":
        return request.rfile.read(int(request.headers.get("Content-Length") or 0))
    body = b""
    while size := int(request.rfile.readline(), 16):
        body += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return body


class RuntimeAPI:
    """Lambda's runtime API for one invocation."""

    def __init__(self, event, config):
        self.answers = queue.Queue()  # (body, whether it is a failure); the first counts
        self.init_error = None
        self.events = [event]
        self.config = config
        self.over = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), runtime_handler(self))
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def ended(self, status):
        """The worker is no more. If it did not start, it has said why, and its log is complete only now."""
        self.answers.put((self.init_error or exit_error(status), True))


def runtime_handler(api):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):  # invocation/next
            if not api.events:
                api.over.wait()
                return
            deadline = time.time() + api.config["Timeout"]
            headers = {
                "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
                "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": api.config["FunctionArn"],
            }
            self.answer(200, api.events.pop(), headers)

        def do_POST(self):  # invocation/<id>/response, invocation/<id>/error, init/error
            body = read_body(self)
            self.answer(202, b"", {})
            if self.path.endswith("/init/error"):
                api.init_error = body
            else:
                api.answers.put((body, self.path.endswith("/error")))

        def answer(self, status, body, headers):
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    return Handler


def handler(standin):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self):
            body = read_body(self)
            parts = urlsplit(self.path).path.strip("/").split("/")
            if parts[0] == "2015-03-31" and parts[-1] == "invocations":
                answer, log, failed = standin.invoke(parts[2], body)
                headers = {"X-Amz-Log-Result": base64.b64encode(log).decode()}
                if failed:
                    headers["X-Amz-Function-Error"] = "Unhandled"
                self.answer(200, headers, answer)
                return
            if any(key in self.headers.get("Authorization", "") for key, _ in standin.keys.values()):
                standin.calls.append(call(self.command, self.path, self.headers, body))
            status, headers, answer = self.forward(body)
            if self.headers.get("X-Amz-Target") == "Kinesis_20131202.PutRecord" and status == 200:
                standin.hand_over(json.loads(body), json.loads(answer))
            self.answer(status, headers, answer)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

        def forward(self, body):
            connection = http.client.HTTPConnection("127.0.0.1", standin.port, timeout=60)
            try:
                connection.request(self.command, self.path, body, dict(self.headers.items()))
                response = connection.getresponse()
                return response.status, dict(response.getheaders()), response.read()
            finally:
                connection.close()

        def answer(self, status, headers, body):
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in (
                    "content-length",
                    "transfer-encoding",
                    "connection",
                    "date",
                    "server",
                ):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *args):
            pass

    return Handler


def call(method, path, headers, body):
    """The IAM action and the ARN of a request. One that is not known here is an action that no role has."""
    target = headers.get("X-Amz-Target", "")
    if target.startswith("Kinesis_20131202."):
        return "kinesis:" + target.partition(".")[
            2
        ], f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{json.loads(body)['StreamName']}"
    if target in ("AmazonSQS.SendMessage", "AmazonSQS.SendMessageBatch"):  # IAM has one action for both
        owner, name = json.loads(body)["QueueUrl"].split("/")[-2:]
        return "sqs:SendMessage", f"arn:aws:sqs:{REGION}:{owner}:{name}"
    url = urlsplit(path)
    bucket, _, key = unquote(url.path).lstrip("/").partition("/")
    if method in ("GET", "HEAD") and key and set(parse_qs(url.query)) <= {"x-id"}:
        return "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}"
    if method == "PUT" and key and set(parse_qs(url.query)) <= {"x-id"}:
        return "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}"
    return f"{method} {target or path}", "*"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
