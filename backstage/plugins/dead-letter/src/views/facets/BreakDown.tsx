import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Accordion,
  AccordionPanel,
  AccordionTrigger,
  Button,
  Skeleton,
  Text,
} from '@backstage/ui';
import {
  AttributeKind,
  Facet,
  FacetValue,
  Facets,
  Filter,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useState } from 'react';
import { Answered } from '../../components/Answered';
import { sayShare } from '../../components/share';
import { useAnswer } from '../../hooks/useDeadLetter';
import { useMay } from '../../hooks/useMay';
import { deadLetterTranslationRef } from '../../translation';
import { Conditions } from '../service/useFilter';
import { Sampled } from './Sampled';
import { conditionsOf, useWords } from './attribute';
import styles from './facets.module.css';

const OF_ROWS: AttributeKind[] = [
  'errorGroup',
  'type',
  'routingKey',
  'exchange',
  'queue',
  'hour',
  'attempts',
];
const OF_PAYLOADS: AttributeKind[] = [
  'appId',
  'userId',
  'contentType',
  'header',
];

interface BreakDownProps {
  service: string;
  resourceRef: string;
  filter: Filter;
  /** A value was chosen. */
  onChoose: (conditions: Conditions) => void;
}

/** What the listed dead letters are made of. Nothing is asked before somebody looks. */
export function BreakDown(props: BreakDownProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [isExpanded, setExpanded] = useState(false);
  return (
    <Accordion isExpanded={isExpanded} onExpandedChange={setExpanded}>
      <AccordionTrigger title={t('facets.breakDown')} />
      <AccordionPanel>{isExpanded && <Parts {...props} />}</AccordionPanel>
    </Accordion>
  );
}

function Parts({ service, resourceRef, filter, onChoose }: BreakDownProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const may = useMay('read-payload', { services: [service], resourceRef });
  const by = may.allowed ? [...OF_ROWS, ...OF_PAYLOADS] : OF_ROWS;
  const answer = useAnswer(
    ['facets', filter, by],
    (client, signal) => client.facets(filter, { by }, signal),
    { enabled: !may.loading },
  );
  return (
    <>
      <Answered
        answer={answer}
        loading={<Skeleton width="100%" height={160} />}
      >
        {facets => <Shown facets={facets} onChoose={onChoose} />}
      </Answered>
      {!may.loading && !may.allowed && (
        <Text as="p" color="secondary">
          {t('facets.hidden', { permission: may.permission })}
        </Text>
      )}
    </>
  );
}

interface ShownProps {
  facets: Facets;
  onChoose: BreakDownProps['onChoose'];
}

function Shown({ facets: { facets, sample }, onChoose }: ShownProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const filled = facets.filter(each => each.values.length > 0);
  if (filled.length === 0) return <Text as="p">{t('facets.none')}</Text>;
  return (
    <>
      <Sampled sample={sample} />
      <div className={styles.facets}>
        {filled.map(facet => (
          <OneFacet
            key={`${facet.by} ${facet.name}`}
            facet={facet}
            onChoose={onChoose}
          />
        ))}
      </div>
    </>
  );
}

interface OneFacetProps {
  facet: Facet;
  onChoose: BreakDownProps['onChoose'];
}

function OneFacet({ facet, onChoose }: OneFacetProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { sayAttribute } = useWords();
  const attribute = sayAttribute({ kind: facet.by, name: facet.name });
  const rest = [
    { label: t('facets.others'), count: facet.others },
    { label: t('facets.missing'), count: facet.missing },
  ].filter(each => each.count > 0);
  return (
    <section className={styles.facet}>
      <Text as="h4" weight="bold" className={styles.name}>
        {attribute}
      </Text>
      <ul
        className={styles.values}
        aria-label={t('facets.values', { attribute })}
      >
        {facet.values.map(value => (
          <li key={value.value} className={styles.value}>
            <Value facet={facet} value={value} onChoose={onChoose} />
            <Text color="secondary" className={styles.count}>
              {sayShare(value.share)}
              {' · '}
              {value.count.toLocaleString()}
            </Text>
          </li>
        ))}
        {rest.map(({ label, count }) => (
          <li key={label} className={styles.value}>
            <Text color="secondary">{label}</Text>
            <Text color="secondary" className={styles.count}>
              {count.toLocaleString()}
            </Text>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface ValueProps extends OneFacetProps {
  value: FacetValue;
}

/** A value, which leads to the dead letters that have it. */
function Value({ facet, value, onChoose }: ValueProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { sayAttribute, sayValue } = useWords();
  const of = { kind: facet.by, name: facet.name };
  const said = value.label ?? sayValue(of, value.value);
  const conditions = conditionsOf(of, value.value);
  if (!conditions) return <Text className={styles.text}>{said}</Text>;
  return (
    <Button
      size="small"
      variant="tertiary"
      className={styles.choose}
      aria-label={t('facets.choose', {
        attribute: sayAttribute(of),
        value: said,
      })}
      onPress={() => onChoose(conditions)}
    >
      <span className={styles.text}>{said}</span>
    </Button>
  );
}
