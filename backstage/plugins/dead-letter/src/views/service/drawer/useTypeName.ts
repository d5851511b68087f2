import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { useCallback } from 'react';
import { deadLetterTranslationRef } from '../../../translation';
import { TypedValue, amqpType } from './amqpType';

/** AMQP's types in words. */
export function useTypeName(): (value: TypedValue) => string {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return useCallback(
    value => {
      const type = amqpType(value);
      return type === 'other'
        ? t('message.headers.types.other', { tag: value.t })
        : t(`message.headers.types.${type}`);
    },
    [t],
  );
}
