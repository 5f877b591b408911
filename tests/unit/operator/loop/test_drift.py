"""What counts as a difference between a desired and a live object."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from modelwright_operator.cluster.drift import APPLIED_LABEL, differences, digest, stamp

scalars = st.one_of(st.booleans(), st.integers(-5, 5), st.text("ab", max_size=3))
keys = st.text("xyz", min_size=1, max_size=2)
objects = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=12,
)


def deployment(**container: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": "kserve-container", "image": "a", **container}]}}}}


@given(objects)
def test_an_object_does_not_differ_from_itself(value):
    assert differences(value, copy.deepcopy(value)) == []


@given(st.dictionaries(keys, objects, max_size=3), st.dictionaries(keys, objects, max_size=3))
def test_what_was_not_asked_for_is_no_difference(desired, more):
    assert differences(desired, {**more, **desired}) == []


@given(st.dictionaries(keys, objects, min_size=1, max_size=3), st.data())
def test_a_missing_field_is_a_difference(desired, data):
    gone = data.draw(st.sampled_from(sorted(desired)))
    live = {key: value for key, value in desired.items() if key != gone}
    assert differences(desired, live) == [f"{gone}: missing"]


@given(objects, objects)
def test_lists_without_merge_keys_are_one_value(one, other):
    assert differences({"rules": [one]}, {"rules": [one, other]}) == ["rules: 2 items instead of 1"]


def test_defaults_that_the_server_fills_in_are_no_difference():
    live = deployment(imagePullPolicy="Always", terminationMessagePath="/dev/termination-log")
    assert differences(deployment(), live) == []


def test_a_changed_image_is_named_with_both_values():
    path = "spec.template.spec.containers[kserve-container].image"
    assert differences(deployment(), deployment(image="b")) == [f'{path}: "b" instead of "a"']


def test_an_injected_sidecar_is_no_difference_and_a_removed_container_is_one():
    live = deployment()
    live["spec"]["template"]["spec"]["containers"].insert(0, {"name": "istio-proxy"})
    assert differences(deployment(), live) == []
    assert differences(live, deployment()) == ["spec.template.spec.containers[istio-proxy]: missing"]


def test_variables_are_compared_by_name():
    wanted = deployment(env=[{"name": "A", "value": "1"}])
    live = deployment(env=[{"name": "B", "value": "2"}, {"name": "A", "value": "1"}])
    assert differences(wanted, live) == []


def test_ports_are_compared_by_number_and_the_protocol_that_the_server_defaults():
    wanted = {"ports": [{"containerPort": 8080}]}
    live = {"ports": [{"containerPort": 9000, "protocol": "TCP"}, {"containerPort": 8080, "protocol": "TCP"}]}
    assert differences(wanted, live) == []
    assert differences(wanted, {"ports": [{"containerPort": 8080, "protocol": "UDP"}]}) == ["ports[8080/TCP]: missing"]


def test_an_added_rule_of_an_ingress_is_a_difference():
    wanted = {"spec": {"rules": [{"host": "a"}]}}
    assert differences(wanted, {"spec": {"rules": [{"host": "a"}, {"host": "evil"}]}})


def test_true_is_not_one():
    assert differences({"controller": True}, {"controller": 1})


def test_the_digest_is_of_the_content_and_not_of_the_order():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_a_stamp_marks_the_object_alone_and_shows_a_field_that_is_no_longer_wanted():
    manifest = {"metadata": {"name": "x", "labels": {"app": "y"}}, "spec": {"template": {"metadata": {}}, "old": 1}}
    stamped = stamp(manifest)
    assert APPLIED_LABEL not in manifest["metadata"]["labels"]
    assert APPLIED_LABEL not in str(stamped["spec"])
    assert stamped["metadata"]["labels"]["app"] == "y"
    fewer = stamp({**manifest, "spec": {"template": {"metadata": {}}}})
    (difference,) = differences(fewer, stamped)
    assert APPLIED_LABEL in difference
