"""What others measure of text-to-SQL, beside our own scorer: so that a figure can stand next to a published one.

Each metric is a function here, and a local module that `evaluate.load` finds offline, by the same name:

    import evaluate
    metric = evaluate.load("forge_lib/tasks/sql/metrics/bird_ex")
    metric.compute(predictions=["SELECT 2"], references=["SELECT 1 + 1"], databases=["data/shop.sqlite"])
"""
