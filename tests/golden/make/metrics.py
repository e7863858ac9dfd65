# Metrics of random predictions in float64, by numpy from their definitions (scikit-learn's), for `nncheck_core::metric`.
# Run: python tests/golden/make/metrics.py > tests/golden/metrics.json
import json
import numpy as np

g = np.random.default_rng(0)
cases = []


def f1_of(p, y, c):
    tp, fp, fn = ((p == c) & (y == c)).sum(), ((p == c) & (y != c)).sum(), ((p != c) & (y == c)).sum()
    return 2 * tp / (2 * tp + fp + fn)


def auc_of(s, one):                     # by all pairs
    d = s[one][:, None] - s[~one][None, :]
    return ((d > 0) + 0.5 * (d == 0)).mean()


def multiclass(scores, y, k):
    p = scores.argmax(1)
    e = np.exp(scores - scores.max(1, keepdims=True))
    prob = e / e.sum(1, keepdims=True)
    ranks = (scores > scores[np.arange(len(y)), y][:, None]).sum(1)
    cases.append(dict(task="classes", classes=scores.shape[1], scores=scores.ravel().tolist(), labels=y.tolist(), k=k, metrics=dict(
        accuracy=(p == y).mean(), top_k=(ranks < k).mean(), f1=np.mean([f1_of(p, y, c) for c in np.union1d(p, y)]),
        auc=np.mean([auc_of(prob[:, c], y == c) for c in np.unique(y)]),
        perplexity=np.exp(-np.log(prob[np.arange(len(y)), y]).mean()))))


y = g.integers(5, size=60)
multiclass(2 * g.normal(size=(60, 5)) + 2 * np.eye(5)[y], y, 2)
y = g.integers(3, size=40)
multiclass(g.normal(size=(40, 3)), y, 1)
for scale in [1.0, 0.1]:
    z = g.normal(size=50) if scale == 1.0 else np.round(g.normal(size=50), 1)
    y = z + g.normal(size=50) > 0.3
    p = z > 0
    cases.append(dict(task="binary", logits=z.tolist(), labels=y.tolist(), metrics=dict(
        accuracy=(p == y).mean(), f1=f1_of(p, y, True), auc=auc_of(z, y),
        perplexity=np.exp(np.where(y, np.log1p(np.exp(-z)), np.log1p(np.exp(z))).mean()))))
for columns in [1, 3]:
    a = g.normal(size=(30, columns))
    b = a + 0.5 * g.normal(size=(30, columns))
    cases.append(dict(task="numbers", columns=columns, predicted=b.ravel().tolist(), actual=a.ravel().tolist(), metrics=dict(
        rmse=np.sqrt(((a - b) ** 2).mean()), mae=np.abs(a - b).mean(),
        r2=np.mean(1 - ((a - b) ** 2).sum(0) / ((a - a.mean(0)) ** 2).sum(0)))))
print(json.dumps(cases))
