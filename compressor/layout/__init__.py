"""Axis orders: decided once for the whole graph as a minimum cut, then carried out.

The TFLite exporter brings ONNX graphs to channels last with it, the TFLite importer brings TFLite
graphs to channels first; ``Rules`` say what differs.
"""
