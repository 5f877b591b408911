"""torch.nn's base class."""


class Module:
    def eval(self):
        return self

    def to(self, where):
        return self
