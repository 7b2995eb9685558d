"""The official SDK's operations, called by name with plain parameters, and each of them counted.

`Peer(client, models).create_secret(name="db", secret_string="x")` makes the SDK's `CreateSecretRequest`, sends it with
the SDK's client, and returns the SDK's answer, once what was on the wire is known to be just what the SDK's models
declare: a member they lack, or a number where they have a text, would be lost or changed by the SDK without a word.
"""

import inspect
import json
import re

# What newer pages of the reference have and the SDK does not: it passes over these.
NEWER_THAN_THE_SDK = {
    ("Secret", "domain_id"),
    ("Secret", "replica_type"),
    ("Secret", "replicas"),
}

PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float), "datetime": str}


def operations(client_class):
    """The operations that a client of the SDK has: its methods that have an `_invoker`."""
    methods = inspect.getmembers(client_class, inspect.isfunction)
    return {name for name, _ in methods if hasattr(client_class, f"{name}_invoker")}


def model_of(models, operation, kind):
    """The SDK's model of an operation's request or answer; in the names of models abbreviations are in upper case."""
    wanted = f"{operation.replace('_', '')}{kind}"
    [model] = [model for name, model in vars(models).items() if name.lower() == wanted]
    return model


def members(models, declared, absent=()):
    """The members that an answer of this model can have at any depth, by `Model.member`, each with whether a scenario
    has seen it. There is no looking into those that are `absent`."""
    model = getattr(models, re.sub(r"^list\[(.*)\]$", r"\1", declared), None)
    for name, kind in getattr(model, "openapi_types", {}).items():
        member = f"{model.__name__}.{model.attribute_map[name]}"
        yield member, model.attribute_map[name] in Peer.seen.get(model, ())
        if member not in absent:
            yield from members(models, kind, absent)


class Peer:
    """A client of the SDK."""

    # Operations that were carried out, by client class.
    carried_out = {}
    # Members of answers that had a value, by model.
    seen = {}

    def __init__(self, client, models):
        self.client = client
        self.models = models

    def __getattr__(self, operation):
        if operation not in operations(type(self.client)):
            raise AttributeError(f"{type(self.client).__name__} has no operation {operation}")

        def call(**parameters):
            answer = getattr(self.client, operation)(self.request(operation, parameters))
            self.check(answer)
            self.carried_out.setdefault(type(self.client), set()).add(operation)
            return answer

        return call

    def request(self, operation, parameters):
        """The request of an operation. A parameter that path and body both have goes into both."""
        model = model_of(self.models, operation, "request")
        body_type = model.openapi_types.get("body")
        body_fields = getattr(self.models, body_type).openapi_types if body_type else {}
        unknown = [name for name in parameters if name not in model.openapi_types and name not in body_fields]
        if unknown:
            raise TypeError(f"{operation} has no parameter {', '.join(unknown)}")
        request = model(**{name: value for name, value in parameters.items() if name in model.openapi_types})
        in_body = {name: value for name, value in parameters.items() if name in body_fields}
        if in_body:
            request.body = self.build(body_type, in_body)
        return request

    def build(self, declared, value):
        """A value as the SDK's model of it."""
        if declared.startswith("list["):
            return [self.build(declared[len("list["):-1], item) for item in value]
        if declared in PLAIN or not isinstance(value, dict) or not hasattr(self.models, declared):
            return value
        model = getattr(self.models, declared)
        return model(**{name: self.build(model.openapi_types[name], member) for name, member in value.items()})

    def check(self, answer):
        """Fails unless the answer on the wire has the members and types that its model declares."""
        model = type(answer)
        present = {model.attribute_map[name] for name in model.openapi_types if getattr(answer, name) is not None}
        self.seen.setdefault(model, set()).update(present)
        if not answer.raw_content:
            return
        wire = json.loads(answer.raw_content)
        if "body" in model.openapi_types:
            self.check_value(model.openapi_types["body"], wire if isinstance(wire, list) else [wire], model.__name__)
        else:
            self.check_members(model, wire, model.__name__)

    def check_members(self, model, wire, path):
        assert isinstance(wire, dict), f"{path} is no object: {wire!r}"
        declared = {model.attribute_map[name]: kind for name, kind in model.openapi_types.items()}
        for name, value in wire.items():
            if (model.__name__, name) in NEWER_THAN_THE_SDK:
                continue
            assert name in declared, f"{path} has no member {name}"
            if value is not None:
                self.seen.setdefault(model, set()).add(name)
            self.check_value(declared[name], value, f"{path}.{name}")

    def check_value(self, declared, value, path):
        if value is None or declared == "object":
            return
        if declared.startswith("list["):
            assert isinstance(value, list), f"{path} is no list: {value!r}"
            for item in value:
                self.check_value(declared[len("list["):-1], item, f"{path}[]")
        elif declared.startswith("dict("):
            assert isinstance(value, dict), f"{path} is no object: {value!r}"
        elif declared in PLAIN:
            right = isinstance(value, PLAIN[declared]) and (declared == "bool" or not isinstance(value, bool))
            assert right, f"{path} is no {declared}: {value!r}"
        else:
            model = getattr(self.models, declared)
            # An enumeration is a model without members, whose values are plain.
            if model.openapi_types:
                self.check_members(model, value, path)
