import type { ExperimentDefinition } from './experiment.ts';

/**
 * The environments that come with the system, by id.
 *
 * Each one is imported when it is needed, so that a server of one does not load what the others need.
 */
export const BUILT_IN: Readonly<Record<string, () => Promise<{ readonly default: ExperimentDefinition }>>> = {
  'TrafficSegmentation-v0': () => import('./traffic-segmentation.ts'),
  'TrafficSegmentationReal-v0': () => import('./traffic-segmentation-real.ts'),
  'TrafficCounting-v0': () => import('./traffic-counting.ts'),
  'TrafficDetection-v0': () => import('./traffic-detection.ts'),
  'TrafficDetectionReal-v0': () => import('./traffic-detection-real.ts'),
  'TrafficMatch-v0': () => import('./traffic-match.ts'),
  'TrafficMatchReal-v0': () => import('./traffic-match-real.ts'),
  'Program-v0': () => import('./program.ts'),
  'Table-v0': () => import('./table.ts'),
  'Mixture-v0': () => import('./mixture.ts'),
};
