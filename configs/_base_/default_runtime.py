custom_imports = dict(imports=['mmtmix'], allow_failed_imports=False)
default_scope = 'mmpretrain'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=100),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # two: the older one goes before the newer is written, and a kill then must leave one to resume
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=2),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # a resumed run ends with the weights of an unbroken one
    epoch_seed=dict(type='EpochSeedHook'),
    # labels that the model has no class for end the run before it starts
    label_range=dict(type='LabelRangeHook'),
    # a diverged run ends with the step, and writes none of its weights
    finite_stop=dict(type='FiniteStopHook'),
    # last, best and median accuracy, since papers differ in which they report
    accuracy_summary=dict(type='AccuracySummaryHook'),
    # pictures of predictions, which `test --show-dir` switches on
    visualization=dict(type='VisualizationHook', enable=False),
    # last.pth, which other configs require
    last_checkpoint=dict(type='LastCheckpointHook'),
)

env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)

# TensorBoard: --cfg-options visualizer.vis_backends.0.type=TensorboardVisBackend
# our tools add the local log to any backends; for other tools list both backends here
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='UniversalVisualizer', vis_backends=vis_backends)

log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0)
