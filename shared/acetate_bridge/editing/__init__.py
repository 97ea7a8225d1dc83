"""What is done to a document: plan, inputs, insertion, results, metadata. Knows no menu."""
