"""Which models a folder, a file or the environment holds, and what their settings make of the server's arguments."""

from __future__ import annotations

import json

import pytest
from modelwright.styles.catalogue import DiscoveryError
from modelwright.styles.detect import detect

from tests.unit.styles.mlserver.authors import found, numbers, request, run, write

ONE = """
class M(MLModel):
    async def predict(self, payload):
        return InferenceResponse(outputs=[])
"""
SUM = {"name": "sum", "implementation": "models.M"}


def test_a_model_is_named_by_its_settings(tmp_path) -> None:
    (model,) = found(write(tmp_path / "x", ONE, SUM)).models
    assert (model.name, model.ready) == ("sum", False)


def test_the_folder_names_a_model_without_a_name(tmp_path) -> None:
    (model,) = found(write(tmp_path / "folder", ONE, {"implementation": "models.M"})).models
    assert model.name == "folder"


def test_model_is_read_as_name_and_said(tmp_path, caplog) -> None:
    (model,) = found(write(tmp_path / "x", ONE, {"model": "sum-model", "implementation": "models.M"})).models
    assert model.name == "sum-model"
    assert 'read "model" as "name"' in caplog.text


def test_a_misspelled_field_is_said(tmp_path, caplog) -> None:
    found(write(tmp_path / "x", ONE, {**SUM, "max_batchsize": 3}))
    assert "'max_batchsize' has no effect; did you mean 'max_batch_size'?" in caplog.text


def test_the_command_line_names_the_only_model(tmp_path) -> None:
    (model,) = found(write(tmp_path, ONE, SUM), model_name="mine").models
    assert model.name == "mine"


def test_one_name_is_no_name_for_two_models(tmp_path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, ONE, {"implementation": "models.M"})
    with pytest.raises(DiscoveryError, match=r"several models \(a, b\).*--model_name"):
        found(tmp_path, model_name="mine")


def test_each_folder_has_its_own_modules(tmp_path) -> None:
    for name in ("a", "deep/b"):
        folder = write(
            tmp_path / name,
            """
            import helper
            class M(MLModel):
                async def predict(self, payload):
                    return InferenceResponse(outputs=[StringCodec.encode_output("whose", [helper.WHOSE])])
            """,
            {"implementation": "models.M"},
        )
        (folder / "helper.py").write_text(f"WHOSE = {name!r}\n")
    models = found(tmp_path).models
    assert [model.name for model in models] == ["a", "b"]
    for model, expected in zip(models, (b"a", b"deep/b"), strict=True):
        run(model.load())
        assert run(model.infer(request(numbers("x", [1])))).outputs[0].data.item() == expected


def test_two_models_of_one_name(tmp_path) -> None:
    for version in ("1", "2"):
        write(tmp_path / version, ONE, {**SUM, "parameters": {"version": version}})
    with pytest.raises(DiscoveryError, match=r"both of a model 'sum' \(versions 1 and 2\).*rename one"):
        found(tmp_path)


def test_virtual_environments_are_not_searched(tmp_path) -> None:
    write(tmp_path / "model", ONE, SUM)
    write(tmp_path / "venv" / "lib", ONE, SUM)
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    assert len(found(tmp_path).models) == 1


def test_the_environment_describes_a_model(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MLSERVER_MODEL_IMPLEMENTATION", "models.M")
    monkeypatch.setenv("MLSERVER_MODEL_NAME", "from-env")
    monkeypatch.setenv("MLSERVER_MODEL_URI", "/mnt/models")
    (model,) = found(write(tmp_path, ONE)).models
    assert model.name == "from-env"


def test_a_dot_env_file_describes_a_model(tmp_path) -> None:
    (tmp_path / "cwd" / ".env").write_text("# ours\nMLSERVER_MODEL_IMPLEMENTATION='models.M'\n")
    (model,) = found(write(tmp_path / "folder", ONE)).models
    assert model.name == "folder"


def test_a_file_without_settings(tmp_path) -> None:
    source = "class Base(MLModel): ...\nclass Derived(Base): ...\nclass Other: ...\n"
    models = found(write(tmp_path, source) / "models.py").models
    assert [model.name for model in models] == ["Base", "Derived"]
    (model,) = found(tmp_path / "models.py", "Derived").models
    assert model.name == "Derived"


def test_a_file_has_the_settings_beside_it(tmp_path) -> None:
    (model,) = found(write(tmp_path, ONE, SUM) / "models.py").models
    assert model.name == "sum"


def test_a_class_that_is_not_there(tmp_path) -> None:
    with pytest.raises(DiscoveryError, match=r"neither.*'Nope'; it has models.py:M"):
        found(write(tmp_path, ONE) / "models.py", "Nope")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"name": "sum"}, 'names no class: add "implementation"'),
        ({"implementation": "Nodots"}, "must be MODULE.CLASS"),
        ({"implementation": "absent.M"}, "there is no module 'absent'"),
        ({"implementation": "models.Nope"}, "has no class 'Nope'; its MLModel classes: M"),
        ({"implementation": "models.np"}, "must be a subclass of mlserver.MLModel"),
        ({**SUM, "max_batch_size": "many"}, "max_batch_size must be int, not 'many'"),
        ({**SUM, "inputs": [{"name": "x", "shape": [1], "datatype": "FP8"}]}, "datatype must be one of"),
    ],
)
def test_settings_that_cannot_be_served(tmp_path, settings, said) -> None:
    with pytest.raises(DiscoveryError, match=said) as raised:
        found(write(tmp_path, ONE, settings))
    assert "model-settings.json" in str(raised.value)


def test_a_file_that_is_no_json(tmp_path) -> None:
    write(tmp_path, ONE)
    (tmp_path / "model-settings.json").write_text("{")
    with pytest.raises(DiscoveryError, match=r"model-settings\.json is no JSON"):
        found(tmp_path)


def test_a_missing_import_of_the_authors_is_its_own_error(tmp_path) -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        found(write(tmp_path, "import no_such_package\n" + ONE, SUM))


def with_server(folder, **settings: object):
    write(folder, ONE, SUM)
    (folder / "settings.json").write_text(json.dumps(settings))
    return found(folder).arguments


def test_server_settings_become_arguments(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MLSERVER_GRPC_PORT", "9001")
    arguments = with_server(
        tmp_path, http_port=9000, parallel_workers=3, grpc_max_message_length=1000, use_structured_logging=True
    )
    assert arguments == {
        "http_port": 9000,
        "grpc_port": 9001,
        "workers": 3,
        "grpc_max_send_message_length": 1000,
        "grpc_max_receive_message_length": 1000,
        "log_format": "json",
    }


def test_no_workers_of_mlserver_are_one_process_of_ours(tmp_path) -> None:
    assert with_server(tmp_path, parallel_workers=0) == {"workers": 1}


def test_server_settings_without_effect_are_said(tmp_path, caplog) -> None:
    with_server(tmp_path, metrics_port=9, cache_enabled=True)
    assert "metrics_port of MLServer's settings has no effect: metrics are on /metrics" in caplog.text
    assert "cache_enabled" in caplog.text


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"kafka_enabled": True}, "kafka_enabled"), ({"http_port": "many"}, "http_port must be int, not 'many'")],
)
def test_server_settings_that_cannot_be(tmp_path, settings, said) -> None:
    with pytest.raises(DiscoveryError, match=said):
        with_server(tmp_path, **settings)


def test_adaptive_batching_becomes_arguments(tmp_path) -> None:
    folder = write(tmp_path, ONE, {**SUM, "max_batch_size": 8, "max_batch_time": 0.02})
    assert found(folder).arguments == {"max_batch_size": 8, "max_batch_latency_ms": 20.0}


def test_half_of_adaptive_batching_is_none(tmp_path) -> None:
    assert found(write(tmp_path, ONE, {**SUM, "max_batch_size": 8})).arguments == {}


def test_models_that_differ_in_batching(tmp_path) -> None:
    write(tmp_path / "a", ONE, {"implementation": "models.M", "max_batch_size": 8, "max_batch_time": 0.02})
    write(tmp_path / "b", ONE, {"implementation": "models.M"})
    with pytest.raises(DiscoveryError, match=r"max_batch_size and max_batch_time differ"):
        found(tmp_path)


def test_the_style_is_told_by_the_settings_file(tmp_path) -> None:
    assert detect(write(tmp_path / "a", ONE, SUM).parent).style == "mlserver"


def test_the_library_cannot_be_the_server() -> None:
    from mlserver import MLServer, Settings

    with pytest.raises(NotImplementedError, match="modelwright serve"):
        MLServer(Settings())
