/** The multiplications with an addition that a network's convolutions need: what no implementation can do without. */
import { efficientNetLite0, type FoldedCanvas } from '../../env/tasks/backbone/efficientnet-lite0.ts';
import type { Shape } from '../../env/tasks/training/differentiable.ts';
import type { Canvas, Network, Shaped } from '../../env/tasks/training/network.ts';

/** Of one forward pass. */
export function forwardMultiplyAdds(network: Network, shapes: readonly Shape[]): number {
  let sum = 0;
  const canvas: Canvas<Shaped> = {
    layer: ({ size, inChannels, outChannels }, { shape: [n, h, w] }) => {
      sum += n! * h! * w! * size ** 2 * inChannels * outChannels;
      return { shape: [n!, h!, w!, outChannels] };
    },
    add: (a) => a,
    spaceToDepth: ({ shape: [n, h, w, c] }) => ({ shape: [n!, h! / 2, w! / 2, c! * 4] }),
    depthToSpace: ({ shape: [n, h, w, c] }) => ({ shape: [n!, h! * 2, w! * 2, c! / 4] }),
    resize: (x, like) => ({ shape: [x.shape[0]!, like.shape[1]!, like.shape[2]!, x.shape[3]!] }),
  };
  network(
    shapes.map((shape) => ({ shape })),
    canvas,
  );
  return sum;
}

/** Of the backbone up to the last tap. @param shape of the images: [n, height, width, 3] */
export function backboneMultiplyAdds(shape: Shape, taps: readonly number[]): number {
  let sum = 0;
  const canvas: FoldedCanvas<Shape> = {
    layer: ({ kind, size, stride, inChannels, outChannels }, [n, h, w]) => {
      const [rows, columns] = [Math.ceil(h / stride), Math.ceil(w / stride)];
      sum += n * rows * columns * size ** 2 * (kind === 'depthwise' ? 1 : inChannels) * outChannels;
      return [n, rows, columns, outChannels];
    },
    add: (a) => a,
  };
  efficientNetLite0(shape, taps, canvas);
  return sum;
}
