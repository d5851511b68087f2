import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Accordion,
  AccordionPanel,
  AccordionTrigger,
  Flex,
  NumberField,
  Select,
  Switch,
  Text,
  TextField,
} from '@backstage/ui';
import { deadLetterTranslationRef } from '../../translation';
import { RateField } from '../operations/RateForm';
import { sayNumber } from '../operations/say';
import {
  Canary,
  ORDERS,
  Order,
  ROUTING_KEYS,
  RoutingKey,
  Way,
  ladder,
} from './request';
import { ActionKind } from './selection';

/** The most that the service takes. */
const MAX_WAIT_SECONDS = 3_600;
const MAX_NOTE = 1_000;

/** How it is done. */
export interface Chosen extends Way {
  rate: number | null;
  note: string;
}

interface OptionsProps {
  kind: ActionKind;
  total: number;
  chosen: Chosen;
  onChoose: (chosen: Chosen) => void;
}

/** How fast, whether a few go first, and why. */
export function Options({ kind, total, chosen, onChoose }: OptionsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Flex direction="column" gap="3">
      {kind === 'redeliver' && total > 1 && (
        <>
          <CanaryOption
            total={total}
            canary={chosen.canary}
            onChoose={canary => onChoose({ ...chosen, canary })}
          />
          <RateField
            rate={chosen.rate}
            onChange={rate => onChoose({ ...chosen, rate })}
          />
        </>
      )}
      <TextField
        label={t('acting.option.note')}
        description={t('acting.option.noteDetail')}
        maxLength={MAX_NOTE}
        value={chosen.note}
        onChange={note => onChoose({ ...chosen, note })}
      />
      {kind === 'redeliver' && (
        <Accordion>
          <AccordionTrigger title={t('acting.option.more')} />
          <AccordionPanel>
            <MoreOptions total={total} chosen={chosen} onChoose={onChoose} />
          </AccordionPanel>
        </Accordion>
      )}
    </Flex>
  );
}

/** What is seldom needed. */
function MoreOptions({ total, chosen, onChoose }: Omit<OptionsProps, 'kind'>) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Flex direction="column" gap="3">
      {total > 1 && (
        <Select
          label={t('acting.option.order.label')}
          description={t('acting.option.order.detail')}
          options={ORDERS.map(value => ({
            value,
            label: t(`acting.option.order.${value}`),
          }))}
          value={chosen.order}
          onChange={order => onChoose({ ...chosen, order: order as Order })}
        />
      )}
      <Select
        label={t('acting.option.routingKey.label')}
        description={t('acting.option.routingKey.detail')}
        options={ROUTING_KEYS.map(value => ({
          value,
          label: t(`acting.option.routingKey.${value}`),
        }))}
        value={chosen.routingKey}
        onChange={key => onChoose({ ...chosen, routingKey: key as RoutingKey })}
      />
    </Flex>
  );
}

interface AgainOptionProps {
  again: boolean;
  onChoose: (again: boolean) => void;
}

/** Whoever sends once more says so: consumers may have handled them. */
export function AgainOption({ again, onChoose }: AgainOptionProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <div>
      <Switch
        label={t('acting.option.again')}
        isSelected={again}
        onChange={onChoose}
      />
      <Text variant="body-small" color="secondary" as="p">
        {t('acting.option.againDetail')}
      </Text>
    </div>
  );
}

interface CanaryOptionProps {
  total: number;
  canary: Canary;
  onChoose: (canary: Canary) => void;
}

function CanaryOption({ total, canary, onChoose }: CanaryOptionProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <>
      <div>
        <Switch
          label={t('acting.option.canary')}
          isSelected={Boolean(canary.isOn)}
          onChange={isOn => onChoose({ ...canary, isOn })}
        />
        <Text variant="body-small" color="secondary" as="p">
          {t('acting.option.canaryDetail', {
            steps: ladder(total).map(sayNumber).join(', '),
          })}
        </Text>
      </div>
      {canary.isOn && (
        <NumberField
          label={t('acting.option.wait')}
          minValue={1}
          maxValue={MAX_WAIT_SECONDS}
          value={canary.waitSeconds}
          onChange={given =>
            !Number.isNaN(given) && onChoose({ ...canary, waitSeconds: given })
          }
        />
      )}
    </>
  );
}
