import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  AttributeKind,
  Condition as Told,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useCallback } from 'react';
import { sayTime } from '../../components/Time';
import { deadLetterTranslationRef } from '../../translation';
import { Conditions } from '../service/useFilter';

/** An attribute: what it is, and the name of a header or the path in a body. */
export interface Attribute {
  kind: AttributeKind;
  name: string | null;
}

const HOUR_MS = 3_600_000;

/** The filter that lists what has this value; undefined where there is none. */
export function conditionsOf(
  { kind, name }: Attribute,
  value: string,
): Conditions | undefined {
  switch (kind) {
    case 'type':
    case 'routingKey':
    case 'exchange':
    case 'queue':
    case 'errorGroup':
    case 'appId':
    case 'userId':
    case 'contentType':
      return { [kind]: value };
    case 'errorType':
      return { error: value };
    case 'attempts':
      return { minAttempt: value };
    case 'header':
    case 'body':
      return { [`${kind}.${name}`]: value };
    case 'hour':
      return {
        diedFrom: value,
        diedTo: new Date(Date.parse(value) + HOUR_MS).toISOString(),
      };
    default:
      return undefined;
  }
}

/** The filter that lists what all of these hold for; undefined where there is none. */
export function conditionsOfAll(told: Told[]): Conditions | undefined {
  const each = told.map(({ attribute, name, test, value, from, to }) => {
    if (test === 'is' && value !== null) {
      return conditionsOf({ kind: attribute, name }, value);
    }
    if (test === 'between' && attribute === 'diedAt') {
      return { ...(from && { diedFrom: from }), ...(to && { diedTo: to }) };
    }
    return undefined;
  });
  return each.some(conditions => conditions === undefined)
    ? undefined
    : Object.assign({}, ...each);
}

/** Attributes, values and conditions in words. */
export function useWords() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const sayAttribute = useCallback(
    ({ kind, name }: Attribute) =>
      t(`facets.attribute.${kind}`, { name: name ?? '' }),
    [t],
  );
  const sayValue = useCallback(
    ({ kind }: Attribute, value: string) =>
      kind === 'hour' || kind === 'diedAt'
        ? sayTime(new Date(value))
        : value || t('facets.empty'),
    [t],
  );
  const sayCondition = useCallback(
    (told: Told) => {
      const { test, value, from, to } = told;
      const of = { kind: told.attribute, name: told.name };
      const attribute = sayAttribute(of);
      if (test === 'between') {
        const bounds = {
          from: from === null ? '' : sayValue(of, from),
          to: to === null ? '' : sayValue(of, to),
        };
        if (to === null) return t('facets.test.from', { attribute, ...bounds });
        if (from === null) return t('facets.test.to', { attribute, ...bounds });
        return t('facets.test.between', { attribute, ...bounds });
      }
      return t(`facets.test.${test}`, {
        attribute,
        value: value === null ? '' : sayValue(of, value),
      });
    },
    [t, sayAttribute, sayValue],
  );
  return { sayAttribute, sayValue, sayCondition };
}
