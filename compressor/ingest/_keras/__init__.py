"""The half of the child program that knows Keras; imported only where the model is Keras's."""
