import { Graph, type Value } from '../tensorflow/graph.ts';
import { GraphSession, type Handle } from '../tensorflow/graph-session.ts';
import type { Differentiable, Inputs, Shape } from './differentiable.ts';
import { parameterShapes, parametersByLayer, weightCount, type Statistics } from './layers.ts';
import type { Layer, Network } from './network.ts';
import { Tape } from './tape.ts';

/**
 * The forward and the backward pass as the two halves of one graph. Each half is one call; the loss is computed between
 * them.
 */
export function recordGraph(network: Network, layers: readonly Layer[], shapes: readonly Shape[]): Differentiable {
  const graph = new Graph();
  const inputs = shapes.map((shape, i) => graph.input(`input${i}`, shape));
  const weights = graph.input('weights', [weightCount(layers)]);
  const parts = graph.split(weights, layers.flatMap(parameterShapes));
  let next = 0;
  const tape = new Tape<Value>(
    graph,
    inputs,
    parametersByLayer(layers, () => parts[next++]!),
  );
  const output = network<Value>(inputs, tape);
  graph.turn();
  const slope = graph.input('slope', output.shape);
  const gradient = graph.join(tape.gradients(output, slope));
  const { carried } = graph;
  const session = new GraphSession(graph);
  const fed = [...inputs, weights];
  const written = (numbers: Inputs, weightNumbers: Float32Array): Handle[] =>
    [...numbers, weightNumbers].map((each, i) => session.write(fed[i]!, each));
  const slopeNumbers = new Float32Array(slope.shape.reduce((product, size) => product * size, 1));
  return {
    gradient: (inputNumbers, weightNumbers, cost, gradientNumbers) =>
      session.scope((keep) => {
        const given = keep(written(inputNumbers, weightNumbers));
        const [result, ...between] = keep(session.run(fed, given, [output, ...carried]));
        const loss = cost(session.read(result!), slopeNumbers);
        const back = keep([session.write(slope, slopeNumbers)]);
        const handles = [...given, ...back, ...between];
        const [answer] = keep(session.run([...fed, slope, ...carried], handles, [gradient]));
        gradientNumbers.set(session.read(answer!));
        return loss;
      }),
    statistics: (inputNumbers, weightNumbers) =>
      session.scope((keep) => {
        const given = keep(written(inputNumbers, weightNumbers));
        const wanted = [...tape.statistics.values()].flatMap(({ mean, variance }) => [mean, variance]);
        const numbers = keep(session.run(fed, given, wanted)).map((handle: Handle) => session.read(handle));
        const entries = [...tape.statistics.keys()].map(
          (layer, i) => [layer, { mean: numbers[2 * i]!, variance: numbers[2 * i + 1]! }] as const,
        );
        return new Map(entries) satisfies Statistics;
      }),
  };
}
