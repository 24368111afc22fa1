import { defineScenario } from '#orchestrator/scenario.ts';
import type { DecodedMld, Pattern } from '#stack/wire/decode.ts';
import { ALL_NODES, groupMac, listenerReport, seen, solicitedNode } from '../frames.ts';
import { settled, WITHOUT_DAD } from '../settled.ts';
import { IF, lan, p2p, pair } from './pair.ts';

const ADDRESS = '2001:db8::6:7:8';
const GROUP = solicitedNode(ADDRESS);
const ALL_ROUTERS = 'ff02::2';
/** RFC 3810 4.2. */
const ALL_MLD2_ROUTERS = 'ff02::16';
/** RFC 2710 7.10: Unsolicited Report Interval; version 2 has a second. Milliseconds. */
const REPEATED = 10_000;

const RECORDS_OF_JOINING = ['toExclude', 'allowNewSources'];
const RECORDS_OF_LEAVING = ['toInclude', 'blockOldSources'];
const hasRecord = (mld: DecodedMld, names: readonly string[]): boolean =>
  mld.records?.some(({ group, name }) => group === GROUP && names.includes(name)) === true;

export const scenario = defineScenario({
  name: 'listener',
  title: 'A group is joined and left with words',
  description:
    'Node a is given an address, and so joins its solicited-node group, and later loses it. Judged are the report ' +
    '(hop limit 1, Router Alert, from its link-local address, to the group itself or in version 2 to ff02::16), that it ' +
    'is said once more, that a says it when it leaves (to all routers), and that nobody ever reports ff02::1.',
  references: ['RFC 2710 3', 'RFC 2710 4', 'RFC 2710 5', 'RFC 3810 5', 'RFC 3810 6.1', 'RFC 3590 4'],
  features: ['IP-11', 'PP-05'],
  roles: { a: { needs: ['nd'] }, b: { needs: ['nd'] } },
  variants: { lan: lan(WITHOUT_DAD), p2p: p2p(WITHOUT_DAD) },
  timeout: 30_000,
  async run(context) {
    const { lab, expect, step } = context;
    const { a, ab } = pair(context);
    await settled(context);
    const local = (await a.peer.linkLocal(IF))!;
    const message = (dst: string): Pattern => ({
      eth: { src: a.mac!, dst: groupMac(dst) },
      ip6: { src: local, dst, hopLimit: 1 },
      hopByHop: { options: (options) => options.some(({ name, value }) => name === 'routerAlert' && value === 0) },
    });
    const either = (one: Pattern, two: Pattern, since: number) => () =>
      seen(ab, one, since).length > 0 || seen(ab, two, since).length > 0;

    step(`a is given ${ADDRESS}`);
    const since = lab.now;
    await a.peer.addAddress(IF, `${ADDRESS}/64`);
    const said = either(
      { ...message(GROUP), icmp6: { name: 'mldReport', checksumOk: true, mld: { group: GROUP } } },
      {
        ...message(ALL_MLD2_ROUTERS),
        icmp6: { name: 'mld2Report', checksumOk: true, mld: (mld) => hasRecord(mld, RECORDS_OF_JOINING) },
      },
      since,
    );
    await expect.eventually(
      `report of ${GROUP}: hop limit 1, Router Alert, from ${local}, to the group or ${ALL_MLD2_ROUTERS}`,
      said,
    );
    const reports = () => seen(ab, listenerReport(a.mac!, GROUP), since);
    await expect.eventually('it is said once more', () => reports().length >= 2, { within: REPEATED });
    await a.peer.removeAddress(IF, `${ADDRESS}/64`);
    const left = lab.now;

    step(`a loses ${ADDRESS}`);
    const gone = either(
      { ...message(ALL_ROUTERS), icmp6: { name: 'mldDone', checksumOk: true, mld: { group: GROUP } } },
      {
        ...message(ALL_MLD2_ROUTERS),
        icmp6: { name: 'mld2Report', checksumOk: true, mld: (mld) => hasRecord(mld, RECORDS_OF_LEAVING) },
      },
      since,
    );
    await expect.eventually(`a says that it leaves, to ${ALL_ROUTERS} or ${ALL_MLD2_ROUTERS}`, gone, { within: 2000 });
    await lab.sleep(REPEATED / 10);
    await expect.frames(
      ab,
      'Done or report of a kind that says nothing new',
      { eth: { src: a.mac! }, icmp6: { name: 'mldReport', mld: { group: GROUP } } },
      0,
      { since: left + lab.tolerance + 1 },
    );
    for (const { mac } of lab.topology.links[0]!.ends) {
      await expect.frames(ab, `report of ${ALL_NODES}`, listenerReport(mac!, ALL_NODES), 0);
    }
  },
});
