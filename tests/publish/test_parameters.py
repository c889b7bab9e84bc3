import pytest

from paperlib.publish.parameters import UsageError, check_parameters, read_parameters, validate

DECLARATIONS = """\
# %% tags=["parameters"]
profile: str = "smoke"  # size of the run; one of: smoke, local
seed: int = 0  # from 0 to 9
rate: float = 1e-3
flag: bool = True
ids: list[int] = [1, 2]
models: list[str] = ["VAE"]  # one of: VAE, dVAE
limits: dict = {}
stop: int | None = None"""


@pytest.fixture
def declared(write_source):
    return read_parameters(write_source(DECLARATIONS))


def test_names_types_and_defaults_are_read_in_order(declared):
    assert {name: (found.annotation, found.default) for name, found in declared.items()} == {
        "profile": ("str", "smoke"),
        "seed": ("int", 0),
        "rate": ("float", 0.001),
        "flag": ("bool", True),
        "ids": ("list[int]", [1, 2]),
        "models": ("list[str]", ["VAE"]),
        "limits": ("dict", {}),
        "stop": ("int | None", None),
    }
    assert list(declared)[:2] == ["profile", "seed"]
    assert declared["profile"].choices == ("smoke", "local")
    assert declared["seed"].bounds == (0, 9)


def test_a_notebook_without_a_parameters_cell_takes_none(write_source):
    assert read_parameters(write_source("seed: int = 0")) == {}


def test_the_word_parameters_in_a_comment_is_no_tag(write_source):
    assert read_parameters(write_source('# tags=["parameters"]\nseed: int = 0')) == {}


@pytest.mark.parametrize(
    ("name", "text", "meaning"),
    [
        ("profile", "local", "local"),
        ("seed", "3", 3),
        ("rate", "1e-3", 0.001),
        ("rate", "2", 2.0),
        ("flag", "false", False),
        ("flag", "True", True),
        ("ids", "[3, 4]", [3, 4]),
        ("ids", "[3,4]", [3, 4]),
        ("ids", "(3, 4)", [3, 4]),
        ("ids", "[]", []),
        ("models", "['dVAE']", ["dVAE"]),
        ("models", '["dVAE"]', ["dVAE"]),
        ("limits", '{"a": 1}', {"a": 1}),
        ("stop", "None", None),
        ("stop", "5", 5),
        ("seed", 3, 3),
        ("rate", 2, 2.0),
        ("flag", False, False),
        ("stop", None, None),
    ],
)
def test_a_given_value_becomes_what_it_means(declared, name, text, meaning):
    found = check_parameters({name: text}, declared)
    assert found == {name: meaning}
    assert type(found[name]) is type(meaning)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", "3.5"),
        ("seed", "three"),
        ("seed", 3.0),
        ("seed", True),
        ("rate", "fast"),
        ("rate", "nan"),
        ("rate", "inf"),
        ("rate", True),
        ("flag", "yes"),
        ("flag", "1"),
        ("flag", 1),
        ("ids", "3"),
        ("ids", "[3"),
        ("ids", "[3, 4.5]"),
        ("ids", '["3"]'),
        ("ids", "[true]"),
        ("models", "dVAE"),
        ("limits", "[1]"),
        ("profile", 3),
        ("stop", "never"),
        ("seed", None),
    ],
)
def test_a_value_of_another_type_is_refused_with_the_declaration(declared, name, value):
    with pytest.raises(ValueError, match=f"'{name}' is .* declared as {name}: "):
        check_parameters({name: value}, declared)


@pytest.mark.parametrize(
    ("name", "value"),
    [("profile", "huge"), ("seed", "10"), ("seed", "-1"), ("models", "['VAE', 'GAN']")],
)
def test_a_value_outside_the_declared_limits_is_refused(declared, name, value):
    with pytest.raises(ValueError, match=rf"'{name}' is .* not allowed: {name}: .*\("):
        check_parameters({name: value}, declared)


def test_an_unknown_name_is_refused_with_the_nearest_and_all_allowed_ones(declared):
    with pytest.raises(ValueError, match=r"'sed'.* Did you mean 'seed'.* profile: .*stop: "):
        check_parameters({"sed": "1"}, declared)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("seed = 0", r"found 'seed = 0'.*expected only lines like"),
        ("import os", "found 'import os'"),
        ("seed: int = 1 + 1", "expected only lines like"),
        ("seed: int = '0'", "bad default.*'seed' is '0'"),
        ("seed: int = 10  # from 0 to 9", "bad default.*not allowed"),
        ("home: Path = 'x'", "Found the type 'Path'; expected one of bool, int"),
        ("home: int | str = 1", "Found the type"),
        ("seed: int =", "is no Python"),
    ],
)
def test_a_line_that_is_no_declaration_is_refused(write_source, line, message):
    source = write_source(f'# %% tags=["parameters"]\n{line}')
    with pytest.raises(ValueError, match=message) as caught:
        read_parameters(source)
    assert str(source) in str(caught.value)


def test_two_parameters_cells_are_refused(write_source):
    source = write_source(DECLARATIONS, DECLARATIONS)
    with pytest.raises(ValueError, match="has 2 cells tagged"):
        read_parameters(source)


def history(*cells, **values):
    """Return the globals of a kernel that ran `cells` and is at its next one."""
    declarations = DECLARATIONS.partition("\n")[2]
    defaults = {"profile": "smoke", "seed": 0, "rate": 1e-3, "flag": True, "ids": [1, 2]}
    defaults |= {"models": ["VAE"], "limits": {}, "stop": None}
    return {"In": ["", declarations, *cells, "validate(globals())"], **defaults, **values}


def test_a_notebook_with_its_defaults_is_valid():
    assert validate(history()) is None


def test_values_that_papermill_injected_are_valid_when_they_fit():
    assert validate(history("# Parameters\nseed = 3\nrate = 1\n", seed=3, rate=1)) is None


def test_an_unknown_name_injected_by_papermill_is_refused_inside_the_notebook():
    with pytest.raises(ValueError, match=r"Unknown parameter 'sede'\. Did you mean 'seed'"):
        validate(history("# Parameters\nsede = 3\n", sede=3))


@pytest.mark.parametrize(
    ("name", "passed", "meaning"),
    [
        ("flag", "false", False),
        ("ids", "[1,2]", [1, 2]),
        ("ids", "[]", []),
        ("rate", "1e-3", 0.001),
        ("rate", 2, 2.0),
        ("models", "['dVAE']", ["dVAE"]),
        ("limits", '{"a": 1}', {"a": 1}),
        ("stop", "null", None),
        ("stop", 5, 5),
    ],
)
def test_what_papermill_passed_becomes_what_it_means(name, passed, meaning):
    namespace = history(f"# Parameters\n{name} = {passed!r}\n", **{name: passed})
    validate(namespace)
    assert namespace[name] == meaning
    assert type(namespace[name]) is type(meaning)


@pytest.mark.parametrize(
    ("name", "passed"), [("flag", "maybe"), ("flag", 1), ("ids", "[1"), ("seed", "12")]
)
def test_a_wrong_value_that_papermill_passed_is_refused_inside_the_notebook(name, passed):
    with pytest.raises(UsageError, match=f"'{name}' is {passed!r}".replace("[", r"\[")):
        validate(history(f"# Parameters\n{name} = {passed!r}\n", **{name: passed}))


def test_a_number_that_papermill_read_for_a_text_is_refused_with_the_cure():
    with pytest.raises(UsageError, match=r"expected a text.* as a text: papermill -r profile"):
        validate(history("# Parameters\nprofile = 2019\n", profile=2019))


def test_a_wrong_word_gets_no_advice_about_numbers():
    with pytest.raises(UsageError, match="'profile' is 'smok'") as refused:
        validate(history("# Parameters\nprofile = 'smok'\n", profile="smok"))
    assert "papermill" not in str(refused.value)


def test_a_text_typed_into_the_notebook_stands_for_itself():
    with pytest.raises(UsageError, match=r"'flag' is 'false' \(str\)"):
        validate(history(flag="false"))


def test_values_that_do_not_go_together_are_refused_with_the_reason_of_the_check():
    def refuse(values):
        assert list(values)[:2] == ["profile", "seed"]
        raise NotADirectoryError(f"seed {values['seed']} and flag {values['flag']}")

    given = history('# Parameters\nseed = 3\nflag = "false"\n', seed=3, flag="false")
    with pytest.raises(UsageError, match=r"^seed 3 and flag False$"):
        validate(given, refuse)


def test_a_value_typed_into_the_notebook_is_checked_as_well():
    with pytest.raises(ValueError, match="'seed' is 12, which is not allowed"):
        validate(history(seed=12))


def test_other_names_of_the_notebook_are_none_of_the_parameters_business():
    assert validate(history("x = 1", x=1)) is None


def test_a_notebook_whose_parameters_cell_did_not_run_is_refused():
    with pytest.raises(ValueError, match="No parameters cell has run"):
        validate({"In": ["", "import os\n%broken", "validate(globals())"]})


def test_a_source_run_as_a_script_is_checked_by_its_own_file(write_source):
    source = write_source('# %% tags=["parameters"]\nseed: int = 0  # from 0 to 9')
    validate({"__file__": str(source), "seed": 9})
    with pytest.raises(ValueError, match="not allowed"):
        validate({"__file__": str(source), "seed": 10})
