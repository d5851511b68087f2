import {
  useAppSearchParams,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { Button, Flex, Select, TextField } from '@backstage/ui';
import { useState } from 'react';
import { AuditRequest } from '../../api/DeadLetterApi';
import { Answered } from '../../components/Answered';
import { Empty } from '../../components/Empty';
import { EnvironmentSelect } from '../../components/EnvironmentSelect';
import { PluginPage } from '../../components/PluginPage';
import { TableSkeleton } from '../../components/TableSkeleton';
import { useAnswer } from '../../hooks/useDeadLetter';
import { useEnvironment } from '../../hooks/useEnvironment';
import { deadLetterTranslationRef } from '../../translation';
import { Pager } from '../operations/OutcomeList';
import { useCursors } from '../operations/useCursors';
import { AuditTable } from './AuditTable';
import { auditMessages } from './messages';
import styles from './AuditPage.module.css';

const PAGE = 50;
const CONDITIONS = ['action', 'service', 'actor'] as const;
/** For the option that stands for no condition. */
const ANY = '';

type Conditions = Pick<AuditRequest, (typeof CONDITIONS)[number]>;
type Action = keyof typeof auditMessages.actions;

/** Who did what, for those who may read it. */
export function AuditPage() {
  return (
    <PluginPage view="audit">
      <Audit />
    </PluginPage>
  );
}

function Audit() {
  const { name } = useEnvironment();
  const [parameters, setParameters] = useAppSearchParams();
  const conditions: Conditions = Object.fromEntries(
    CONDITIONS.flatMap(each => {
      const value = parameters.get(each);
      return value ? [[each, value]] : [];
    }),
  );
  const change = (changes: Conditions) =>
    setParameters(before => {
      for (const [condition, value] of Object.entries(changes)) {
        if (value) before.set(condition, value);
        else before.delete(condition);
      }
      return before;
    });
  return (
    <div className={styles.page}>
      <ConditionsBar
        key={JSON.stringify(conditions)}
        conditions={conditions}
        onChange={change}
      />
      <Entries
        key={`${name} ${JSON.stringify(conditions)}`}
        conditions={conditions}
      />
    </div>
  );
}

interface ConditionsProps {
  conditions: Conditions;
  onChange: (changes: Conditions) => void;
}

function ConditionsBar({ conditions, onChange }: ConditionsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [service, setService] = useState(conditions.service ?? '');
  const [actor, setActor] = useState(conditions.actor ?? '');
  const actions = Object.keys(auditMessages.actions) as Action[];
  return (
    <form
      role="search"
      aria-label={t('audit.filter')}
      onSubmit={event => {
        event.preventDefault();
        onChange({ service: service.trim(), actor: actor.trim() });
      }}
    >
      <Flex gap="3" align="end">
        <Select
          label={t('audit.action')}
          options={[
            { value: ANY, label: t('audit.anyAction') },
            ...actions.map(value => ({
              value,
              label: t(`audit.actions.${value}`),
            })),
          ]}
          value={conditions.action ?? ANY}
          onChange={chosen => onChange({ action: String(chosen) })}
        />
        <TextField
          label={t('audit.service')}
          placeholder={t('audit.exact')}
          value={service}
          onChange={setService}
        />
        <TextField
          label={t('audit.actor')}
          placeholder={t('audit.actorHint')}
          value={actor}
          onChange={setActor}
        />
        <Button type="submit" variant="secondary">
          {t('audit.filter')}
        </Button>
        <EnvironmentSelect />
      </Flex>
    </form>
  );
}

function Entries({ conditions }: { conditions: Conditions }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const pages = useCursors();
  const answer = useAnswer(
    ['audit', conditions, pages.cursor],
    (client, signal) =>
      client.audit(
        { ...conditions, limit: PAGE, cursor: pages.cursor },
        signal,
      ),
  );
  return (
    <Answered answer={answer} loading={<TableSkeleton rows={8} />}>
      {page =>
        page.entries.length === 0 && pages.isFirst ? (
          <Empty title={t('audit.none')} description={t('audit.noneDetail')} />
        ) : (
          <>
            <AuditTable entries={page.entries} />
            <Pager pages={pages} next={page.nextCursor} />
          </>
        )
      }
    </Answered>
  );
}
