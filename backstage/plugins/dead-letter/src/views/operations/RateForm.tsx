import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Flex, NumberField } from '@backstage/ui';
import { useState } from 'react';
import { deadLetterTranslationRef } from '../../translation';

/** The most that the service takes. */
const MAX_RATE = 100_000;

interface RateFieldProps {
  rate: number | null;
  onChange: (rate: number | null) => void;
  autoFocus?: boolean;
}

/** Messages a second; empty for as many as go. */
export function RateField({ rate, onChange, autoFocus }: RateFieldProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <NumberField
      label={t('operations.steer.rateLabel')}
      placeholder={t('operations.steer.ratePlaceholder')}
      minValue={1}
      maxValue={MAX_RATE}
      value={rate ?? NaN}
      // Only where it takes the place of what was pressed.
      // eslint-disable-next-line jsx-a11y/no-autofocus
      autoFocus={autoFocus}
      onChange={given => onChange(Number.isNaN(given) ? null : given)}
    />
  );
}

interface RateFormProps {
  rate: number | null;
  disabled: boolean;
  onSet: (rate: number | null) => void;
  onClose: () => void;
}

/** Changes the rate of one that runs. */
export function RateForm({ rate, disabled, onSet, onClose }: RateFormProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [given, setGiven] = useState(rate);
  return (
    <Flex gap="2" align="end">
      {/* eslint-disable-next-line jsx-a11y/no-autofocus */}
      <RateField rate={given} onChange={setGiven} autoFocus />
      <Button size="small" isDisabled={disabled} onPress={() => onSet(given)}>
        {t('operations.steer.rateSet')}
      </Button>
      <Button size="small" variant="tertiary" onPress={onClose}>
        {t('operations.steer.rateClose')}
      </Button>
    </Flex>
  );
}
