"""The type stubs of the helper name what it has, with the same parameters and defaults."""
import ast
import pathlib
import unittest


def public(file):
    """Returns the parameters of each public function, and the methods of each public class, by name."""
    found = {}
    for node in ast.parse(pathlib.Path("sdk", file).read_text()).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            found[node.name] = parameters(node)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
            found[node.name] = {each.name: parameters(each) for each in methods}
    return found


def parameters(function):
    names = function.args.posonlyargs + function.args.args
    return [each.arg for each in names], len(function.args.defaults), function.args.vararg and function.args.vararg.arg


class Types(unittest.TestCase):
    def test_the_stubs_have_the_names_and_parameters_of_the_helper(self):
        helper, stubs = public("stampede.py"), public("stampede.pyi")
        # Its methods are added to a class of the bindings.
        self.assertEqual(set(stubs.pop("Reply")), {"header", "body", "text", "times", "fingerprint"})
        self.assertEqual(helper, stubs)


if __name__ == "__main__":
    unittest.main()
