import assert from 'node:assert/strict';
import { Random } from '../../../../../protocol/random.ts';
import { fogColour, paintSky, skyTexture } from '../../../../../env/simulators/traffic/sky/sky.ts';
import type { WeatherState } from '../../../../../env/simulators/traffic/sky/weather.ts';

const clear: WeatherState = {
  kind: 'clear',
  sunDirection: [0.6, 0.6, 0.53],
  sun: [2, 1.9, 1.7],
  skyLight: [0.65, 0.7, 0.78],
  skyRadiance: [0.5, 0.7, 1],
  cloudiness: 0.4,
  cloudDarkness: 0.1,
  fog: 0,
  wetness: 0,
  rain: 0,
  headlights: false,
  streetLamps: false,
};

/** The visible sky with this fog: its texels, from the horizon up, each with its distance from the fog's colour. */
function distances(fog: number): { texels: number[]; away: number[] } {
  const texture = skyTexture();
  paintSky(texture, { ...clear, fog }, new Random(1));
  const { data, width, height } = texture.image as { data: Float32Array; width: number; height: number };
  const mist = fogColour(clear);
  const texels: number[] = [];
  const away: number[] = [];
  for (let i = (width * height) / 2; i < width * height; i++) {
    texels.push(...data.slice(i * 4, i * 4 + 3));
    away.push(Math.max(...mist.map((light, c) => Math.abs(data[i * 4 + c]! - light))));
  }
  return { texels, away };
}

describe('the sky', () => {
  it('is hidden by dense fog, clouds and sun with it', () => {
    assert.ok(Math.max(...distances(0.07).away) < 0.02, `${Math.max(...distances(0.07).away)}`);
    assert.ok(Math.max(...distances(0).away) > 1, 'the glow of the sun is far brighter than fog');
  });

  it('is hidden first at the horizon', () => {
    const { away } = distances(0.01);
    const open = distances(0).away;
    const share = (from: number) => {
      const part = (all: readonly number[]) => all.slice(from, from + 96).reduce((sum, distance) => sum + distance, 0);
      return part(away) / part(open);
    };
    assert.ok(share(0) < 0.01, `the horizon keeps ${share(0)}`);
    assert.ok(share(96 * 23) > 0.6, `the zenith keeps ${share(96 * 23)}`);
  });

  it('is as it was where the air is clear', () => {
    const { texels } = distances(0.0005);
    const none = distances(0).texels;
    for (const [i, value] of texels.entries()) {
      assert.ok(Math.abs(value - none[i]!) < 0.1 * Math.max(1, none[i]!), `texel ${i}: ${value}, ${none[i]}`);
    }
  });
});
