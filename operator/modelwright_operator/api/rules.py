"""The CEL rules: what is refused at `kubectl apply`, each with the field and the remedy in its message."""

from modelwright_operator.api import workers
from modelwright_operator.api.predictor import SERVER_CONTAINER, SERVER_FIELDS
from modelwright_operator.api.rule import Rule
from modelwright_operator.api.unsupported import FRAMEWORKS

SCHEMES = ("pvc", "s3", "gs", "hf", "https", "http", "file")
"""The URI schemes that weights can come from."""

MAX_NAME = 63 - len("-predictor")
"""The longest name whose children, `<name>-predictor`, are still DNS labels."""

MODEL_DIR = "/mnt/models"

# Whether `c` is the container that serves the model.
_SERVES = f"(size(self.containers) == 1 || c.name == '{SERVER_CONTAINER}')"
_SCHEME_LIST = ", ".join(f"{scheme}://" for scheme in SCHEMES)


def _place(uri: str) -> str:
    """Return the condition that a URI has a known scheme and names a claim, bucket or host."""

    def of(scheme: str) -> str:
        named = "" if scheme == "file" else f" && !{uri}.startsWith('{scheme}:///')"
        return f"({uri}.startsWith('{scheme}://') && size({uri}) > {len(scheme) + 3}{named})"

    return " || ".join(of(scheme) for scheme in SCHEMES)


def _server(condition: str, given: str = "true") -> str:
    """Return a rule: where `given` holds, `condition` holds for the server's container `c`."""
    return f"!({given}) || !has(self.containers) || self.containers.all(c, !{_SERVES} || ({condition}))"


SPEC_RULES = (
    Rule(
        rule="has(self.spec) && has(self.spec.predictor)",
        message="spec.predictor is required: give it containers, with the image of your model server",
        field=".spec",
    ),
    Rule(
        rule="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        message="metadata.name must start with a letter, end with a letter or a digit, and have only "
        "lower-case letters, digits and '-' between, because a Service is named after it: rename the "
        "InferenceService, for example my-model",
        field=".metadata.name",
        for_new=True,
    ),
    Rule(
        rule=f"size(self.metadata.name) <= {MAX_NAME}",
        message="metadata.name is too long: with -predictor appended it has to be a DNS label of at most 63 "
        f"characters, so shorten it to {MAX_NAME} characters or fewer",
        field=".metadata.name",
        for_new=True,
    ),
)
"""Rules on the whole object. Of its metadata CEL sees only the name."""

_CONTAINER_RULES = (
    Rule(
        rule="(has(self.containers) && size(self.containers) > 0) || "
        + " || ".join(f"has(self.{framework})" for framework in FRAMEWORKS),
        message="spec.predictor.containers is required: list one container with the image of your model server",
        field=".containers",
    ),
    Rule(
        rule="!has(self.containers) || self.containers.all(c, self.containers.exists_one(d, d.name == c.name))",
        message="two of spec.predictor.containers have the same name: give each its own",
        field=".containers",
    ),
    Rule(
        rule="!has(self.containers) || !has(self.initContainers) || "
        f"self.initContainers.all(i, i.name != '{SERVER_CONTAINER}' && !self.containers.exists(c, c.name == i.name))",
        message="one of spec.predictor.initContainers has the name of one of spec.predictor.containers, or "
        "kserve-container, which is the server's: rename it",
        field=".initContainers",
    ),
    Rule(
        rule="!has(self.containers) || size(self.containers) <= 1 || "
        f"self.containers.exists(c, c.name == '{SERVER_CONTAINER}')",
        message="spec.predictor.containers has several containers and none is named kserve-container: give "
        "that name to the one that serves the model",
        field=".containers",
    ),
)

_PORT_RULES = (
    Rule(
        rule=_server(
            "!has(c.ports) || size(c.ports) == 0 || c.ports[0].containerPort == self.httpPort",
            "has(self.httpPort)",
        ),
        message="spec.predictor.httpPort differs from the first of the container's ports, which is where "
        "requests are sent: make the two the same, list httpPort first, or remove one of them",
        field=".httpPort",
    ),
    Rule(
        rule=_server(
            "!has(c.ports) || c.ports.all(p, p.containerPort == self.grpcPort || !has(p.name) || "
            "!(p.name.contains('grpc') || p.name.contains('h2c')))",
            "has(self.grpcPort)",
        ),
        message="spec.predictor.grpcPort differs from the container's port that is named grpc or h2c: make "
        "the two the same, or remove one of them",
        field=".grpcPort",
    ),
    Rule(
        rule="!has(self.httpPort) || !has(self.grpcPort) || self.httpPort != self.grpcPort",
        message="spec.predictor.httpPort and spec.predictor.grpcPort are the same port: give each its own",
        field=".grpcPort",
    ),
)


def _set(field: str) -> str:
    """Return the condition that a field of the predictor is there, and what it is in."""
    parts = field.split(".")
    return " && ".join(f"has(self.{'.'.join(parts[:length])})" for length in range(1, len(parts) + 1))


def _argument_rule(field: str, argument: str) -> Rule:
    """Refuse a field whose argument the author also wrote, as `--workers 2` or as `--workers=2`."""
    written = f"a == '{argument}' || a.startsWith('{argument}=')"
    return Rule(
        rule=_server(
            f"(!has(c.args) || !c.args.exists(a, {written})) && (!has(c.command) || !c.command.exists(a, {written}))",
            _set(field),
        ),
        message=f"spec.predictor.{field} becomes the argument {argument}, which the container's args or "
        "command already have: keep one of the two",
        field=f".{field}",
    )


_SERVER_PARTS = tuple(dict.fromkeys(field.split(".")[0] for field in SERVER_FIELDS))
_ARGUMENT_RULES = (
    *(_argument_rule(field, argument) for field, argument in SERVER_FIELDS.items()),
    Rule(
        rule=_server(
            "!has(c.command) || size(c.command) < 2 || "
            "!(c.command[0] in ['sh', 'bash'] || c.command[0].endsWith('/sh') || "
            "c.command[0].endsWith('/bash')) || "
            "!(c.command[1].startsWith('-') && c.command[1].endsWith('c'))",
            " || ".join(f"has(self.{field})" for field in _SERVER_PARTS),
        ),
        message="the container's command is a shell's -c, which passes no arguments on, so that "
        + ", ".join(f"spec.predictor.{field}" for field in _SERVER_PARTS)
        + " cannot reach the server: name the program itself in command, or write the arguments in the "
        "script and remove these fields",
        field=".containers",
    ),
)

_ENV = "has(c.env) && c.env.exists(e, e.name == 'STORAGE_URI')"
_STORAGE_RULES = (
    Rule(
        rule=_server(f"!({_ENV})", "has(self.storageUri)"),
        message="spec.predictor.storageUri and the container's env STORAGE_URI both say where the weights "
        "are: keep one",
        field=".storageUri",
    ),
    Rule(
        rule=_server("!has(c.env) || c.env.all(e, e.name != 'STORAGE_URI' || (has(e.value) && e.value != ''))"),
        message="the container's env STORAGE_URI must be written as a value, not as valueFrom, because the "
        "mount is made from it: write the URI, or use spec.predictor.storageUri",
        field=".containers",
    ),
    Rule(
        rule=_server(
            "!has(c.env) || c.env.all(e, e.name != 'STORAGE_URI' || !has(e.value) || e.value == '' || "
            f"{_place('e.value')})"
        ),
        message="the container's env STORAGE_URI must be a place such as s3://bucket/path, in one of the "
        f"schemes {_SCHEME_LIST}: change it",
        field=".containers",
    ),
    Rule(
        rule=_server(
            f"!(has(self.storageUri) || ({_ENV})) || !has(c.volumeMounts) || "
            f"c.volumeMounts.all(m, m.mountPath != '{MODEL_DIR}' && m.mountPath != '{MODEL_DIR}/')"
        ),
        message=f"the weights are mounted at {MODEL_DIR}, where the container already mounts a volume: move "
        "that mount, or remove spec.predictor.storageUri or the env STORAGE_URI",
        field=".containers",
    ),
)

_SCALE_RULES = (
    Rule(
        rule="!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas",
        message="spec.predictor.minReplicas is more than spec.predictor.maxReplicas: raise maxReplicas or "
        "lower minReplicas",
        field=".minReplicas",
    ),
    Rule(
        rule="!has(self.scaleMetric) || self.scaleMetric != 'memory' || has(self.scaleTarget)",
        message="spec.predictor.scaleMetric memory has no default target: set spec.predictor.scaleTarget, "
        "in percent of the memory that the pods request",
        field=".scaleTarget",
    ),
)

PREDICTOR_RULES = (
    *_CONTAINER_RULES, *_PORT_RULES, *_ARGUMENT_RULES, *_STORAGE_RULES, *_SCALE_RULES, *workers.PREDICTOR_RULES,
)  # fmt: skip
"""Rules on spec.predictor, between its fields."""

FIELD_RULES: dict[str, tuple[Rule, ...]] = {
    "workerSpec": workers.WORKER_RULES,
    "storageUri": (
        Rule(
            rule=_place("self"),
            message="spec.predictor.storageUri must be a place such as s3://bucket/path, in one of the "
            f"schemes {_SCHEME_LIST}: change it",
        ),
        Rule(
            rule="!self.startsWith('pvc://') || !(self.endsWith('/..') || self.contains('/../'))",
            message="spec.predictor.storageUri must not lead out of the claim with '..': write the path "
            "inside the claim",
        ),
    ),
    "batching": (
        Rule(
            rule="has(self.maxBatchSize)",
            message="spec.predictor.batching says nothing without maxBatchSize: set it to the rows that one call of "
            "the model may answer, for example 32",
            field=".maxBatchSize",
        ),
    ),
    "minReplicas": (
        Rule(
            rule="self >= 1",
            message="spec.predictor.minReplicas must be at least 1, because nothing here can wake a service "
            'from zero: to run no pods, annotate the InferenceService with serving.kserve.io/stop: "true"',
        ),
    ),
    "scaleMetric": (
        Rule(
            rule="self in ['cpu', 'memory']",
            message="spec.predictor.scaleMetric must be cpu or memory: concurrency and rps are measured by "
            "Knative, which is not used",
        ),
    ),
    "scaleMetricType": (
        Rule(
            rule="self == 'Utilization'",
            message="spec.predictor.scaleMetricType must be Utilization: set scaleTarget in percent of what "
            "the pods request",
        ),
    ),
    "restartPolicy": (
        Rule(
            rule="self == 'Always'",
            message="spec.predictor.restartPolicy must be Always, the only one that a Deployment's pods can "
            "have: remove it",
        ),
    ),
    "activeDeadlineSeconds": (
        Rule(
            rule="false",
            message="spec.predictor.activeDeadlineSeconds is not supported: a Deployment's pods have no "
            "deadline; remove it",
        ),
    ),
}
"""Rules on one field of spec.predictor alone."""
