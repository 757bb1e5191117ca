import type { SeriesOption } from 'echarts';

/** An area between two lines. @param points [x, low, high], x ascending */
export function band(
  points: readonly (readonly [x: number, low: number, high: number])[],
  name: string,
  colour: string,
): SeriesOption {
  return {
    ...{
      type: 'custom',
      name,
      silent: true,
      clip: true,
      z: 1,
      itemStyle: { color: colour },
      encode: { x: 0, y: [1, 2] },
    },
    // One item draws all; the others are there for the range of the axis.
    data: points.length > 1 ? points.map((point) => [...point]) : [],
    renderItem: ({ dataIndex }, api) => {
      if (dataIndex !== 0) return null;
      const lows = points.map(([x, low]) => api.coord([x, low]));
      const highs = points.map(([x, , high]) => api.coord([x, high]));
      return {
        type: 'polygon',
        shape: { points: [...lows, ...highs.reverse()] },
        style: { fill: colour, opacity: 0.18 },
      };
    },
  };
}
