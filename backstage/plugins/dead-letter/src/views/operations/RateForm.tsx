import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, NumberField } from '@backstage/ui';
import { useState } from 'react';
import { deadLetterTranslationRef } from '../../translation';
import styles from './OperationsPage.module.css';

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

/** Changes the rate of one that runs. Enter sets it. */
export function RateForm({ rate, disabled, onSet, onClose }: RateFormProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [given, setGiven] = useState(rate);
  return (
    <form
      className={styles.rate}
      aria-label={t('operations.steer.rate')}
      onSubmit={event => {
        event.preventDefault();
        if (!disabled) onSet(given);
      }}
    >
      {/* eslint-disable-next-line jsx-a11y/no-autofocus */}
      <RateField rate={given} onChange={setGiven} autoFocus />
      <Button type="submit" size="small" isDisabled={disabled}>
        {t('operations.steer.rateSet')}
      </Button>
      <Button size="small" variant="tertiary" onPress={onClose}>
        {t('operations.steer.rateClose')}
      </Button>
    </form>
  );
}
