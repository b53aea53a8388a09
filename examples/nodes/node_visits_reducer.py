class NodeVisitsReducer:
    def __init__(self):
        self.visits = {}

    def add(self, page):
        self.visits[page] = self.visits.get(page, 0) + 1
