class NodeBrokenEffect(NodeEffect
    def execute_effect(self, request)
        return
