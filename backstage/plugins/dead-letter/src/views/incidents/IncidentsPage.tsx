import {
  useAppSearchParams,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { ToggleButton, ToggleButtonGroup } from '@backstage/ui';
import { Answered } from '../../components/Answered';
import { Empty } from '../../components/Empty';
import { EnvironmentSelect } from '../../components/EnvironmentSelect';
import { PluginPage } from '../../components/PluginPage';
import { TableSkeleton } from '../../components/TableSkeleton';
import { TypedField } from '../../components/TypedField';
import { EVERY_MS } from '../../hooks/every';
import { useAnswer } from '../../hooks/useDeadLetter';
import { useEnvironment } from '../../hooks/useEnvironment';
import { deadLetterTranslationRef } from '../../translation';
import { Pager } from '../operations/OutcomeList';
import { useCursors } from '../operations/useCursors';
import { IncidentEntry } from './IncidentEntry';
import { TestButton } from './TestButton';
import styles from './incidents.module.css';

const PAGE = 50;

/** The parameter in the address that names an incident whose notifications are shown. */
const INCIDENT_PARAMETER = 'incident';

type State = 'open' | 'resolved';

/** What squads were told, and by which channels. */
export function IncidentsPage() {
  return (
    <PluginPage view="incidents">
      <Incidents />
    </PluginPage>
  );
}

function Incidents() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { name } = useEnvironment();
  const [parameters, setParameters] = useAppSearchParams();
  const state: State =
    parameters.get('state') === 'resolved' ? 'resolved' : 'open';
  const squad = parameters.get('squad') ?? '';
  const change = (changes: Record<string, string | undefined>) =>
    setParameters(before => {
      for (const [parameter, value] of Object.entries(changes)) {
        if (value) before.set(parameter, value);
        else before.delete(parameter);
      }
      return before;
    });
  return (
    <div className={styles.page}>
      <div className={styles.choice}>
        <ToggleButtonGroup
          aria-label={t('incidents.which')}
          selectionMode="single"
          disallowEmptySelection
          selectedKeys={[state]}
          onSelectionChange={([chosen]) =>
            change({ state: chosen === 'resolved' ? 'resolved' : undefined })
          }
        >
          <ToggleButton id="open">{t('incidents.open')}</ToggleButton>
          <ToggleButton id="resolved">{t('incidents.past')}</ToggleButton>
        </ToggleButtonGroup>
        <TypedField
          label={t('incidents.squad')}
          placeholder={t('incidents.squadHint')}
          value={squad}
          onChange={next => change({ squad: next?.trim() })}
        />
        <TestButton
          squad={squad}
          onSent={id => change({ [INCIDENT_PARAMETER]: id, state: undefined })}
        />
        <EnvironmentSelect />
      </div>
      <List
        key={`${name} ${state} ${squad}`}
        state={state}
        squad={squad}
        shown={parameters.get(INCIDENT_PARAMETER) ?? undefined}
        onShow={id => change({ [INCIDENT_PARAMETER]: id })}
      />
    </div>
  );
}

interface ListProps {
  state: State;
  squad: string;
  /** The incident whose notifications are shown. */
  shown?: string;
  onShow: (id: string | undefined) => void;
}

function List({ state, squad, shown, onShow }: ListProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const pages = useCursors();
  const request = {
    state,
    squad: squad || undefined,
    limit: PAGE,
    cursor: pages.cursor,
  };
  const answer = useAnswer(
    ['incidents', request],
    (client, signal) => client.incidents(request, signal),
    { every: EVERY_MS },
  );
  return (
    <Answered answer={answer} loading={<TableSkeleton rows={4} />}>
      {({ incidents, nextCursor }) =>
        incidents.length === 0 && pages.isFirst ? (
          <Empty
            title={t(
              state === 'open' ? 'incidents.none' : 'incidents.nonePast',
            )}
            description={t(
              state === 'open'
                ? 'incidents.noneDetail'
                : 'incidents.nonePastDetail',
            )}
          />
        ) : (
          <>
            <ul className={styles.list} aria-label={t('incidents.list')}>
              {incidents.map(each => (
                <li key={each.id} className={styles.incident}>
                  <IncidentEntry
                    incident={each}
                    isShown={each.id === shown}
                    onShow={onShow}
                  />
                </li>
              ))}
            </ul>
            <Pager pages={pages} next={nextCursor} />
          </>
        )
      }
    </Answered>
  );
}
