"""The half of the child program that knows PyTorch; imported only where the model is torch's."""
