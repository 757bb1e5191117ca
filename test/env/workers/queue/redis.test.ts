import assert from 'node:assert/strict';
import { checkRedis, redisOptions, withoutPassword } from '../../../../env/workers/queue/redis.ts';
import { hasRedis, startRedis } from '../../../../scripts/trust/redis.ts';

describe('the address of a Redis', () => {
  it('has host, port, user, password, number and TLS', () => {
    const { host, port, db, username, password, ...rest } = redisOptions('rediss://me:a%40b@example.org:7000/3');
    assert.deepEqual(
      { host, port, db, username, password, tls: rest['tls'] as unknown },
      { host: 'example.org', port: 7000, db: 3, username: 'me', password: 'a@b', tls: { servername: 'example.org' } },
    );
    assert.equal(redisOptions('redis://h').port, 6379);
    assert.equal(redisOptions('redis://[::1]:1').host, '::1');
  });

  it('is refused in a sentence that shows no password', () => {
    for (const wrong of ['localhost:6379', 'http://me:secret@h', 'redis://me:secret@h/path', 'redis://']) {
      assert.throws(() => redisOptions(wrong), /--queue: expected redis:\/\/host:port/, wrong);
      assert.throws(
        () => redisOptions(wrong),
        ({ message }: Error) => !message.includes('secret'),
        wrong,
      );
    }
    assert.equal(withoutPassword('redis://me:secret@h:1'), 'redis://…@h:1');
  });

  it('is refused where nothing listens', async () => {
    await assert.rejects(
      checkRedis('redis://127.0.0.1:1'),
      /expected a Redis at redis:\/\/127.0.0.1:1, got .*ECONNREFUSED/,
    );
  });
});

describe('a Redis @slow', () => {
  before(function () {
    if (!hasRedis()) this.skip(); // npm run setup:redis
  });

  const checked = async (flags: string[], check: (url: string) => Promise<void>) => {
    const redis = await startRedis(...flags);
    await check(redis.url).finally(() => redis.stop());
  };

  it('is taken as our tests start it', () =>
    checked([], async (url) => assert.equal(await checkRedis(url), undefined)));

  it('is refused where it may drop jobs', () =>
    checked(['--maxmemory-policy', 'allkeys-lru'], (url) =>
      assert.rejects(checkRedis(url), /expected a Redis with maxmemory-policy noeviction, got allkeys-lru/),
    ));

  it('is warned of where it forgets all when it ends', () =>
    checked(['--appendonly', 'no'], async (url) => assert.match((await checkRedis(url))!, /no append-only file/)));

  it('asks for its password', () =>
    checked(['--requirepass', 'secret'], async (url) => {
      await assert.rejects(checkRedis(url), /NOAUTH|Authentication/);
      await assert.rejects(checkRedis(url.replace('//', '//:wrong@')), /WRONGPASS/);
      assert.equal(await checkRedis(url.replace('//', '//:secret@')), undefined);
    }));
});
