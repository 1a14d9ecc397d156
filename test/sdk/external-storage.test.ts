import { ExternalStorage } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { redactingDataConverter } from '../../src/plugin/redacting-codec.js';
import { checkExternalStorage } from '../../src/sdk/external-storage.js';

const storage = { payloadSizeThreshold: 1, driverSelector: () => null };

describe('external storage', () => {
  // This repository has a package that needs protobufjs 7, so npm gives each of Temporal's packages a copy of 8. The
  // oldest SDK that is tested has neither that version nor external storage.
  if (typeof ExternalStorage === 'function') {
    test('is refused when a worker is created, if Temporal’s packages do not share one protobufjs', () => {
      const refusal = expect.objectContaining({
        type: 'SetupInvalid',
        message: expect.stringMatching(
          /^dataConverter\.externalStorage needs one copy of protobufjs.*npm install protobufjs@8/,
        ),
      });
      expect(checkExternalStorage).toThrow(refusal);
      expect(() => redactingDataConverter({ externalStorage: storage } as never)).toThrow(refusal);
    });
  }

  test('is not asked for by a worker without it', () => {
    expect(redactingDataConverter({}).payloadCodecs).toHaveLength(2);
  });
});
