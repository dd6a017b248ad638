# CutMix at the budget of the demo, on every other batch on average
_base_ = '../simple/glyphs_demo.py'
model = dict(train_cfg=dict(augments=dict(type='CutMix', alpha=1.0), probs=[0.5]))
